"""What commands take: ids, places, kinds, times, filters and files, and what shells offer for them."""
