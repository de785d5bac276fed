raise RuntimeError("no luck at import")
