"""What commands print: rows, descriptions, values and times; nothing here asks anybody."""
