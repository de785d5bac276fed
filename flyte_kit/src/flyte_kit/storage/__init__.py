"""Where the bytes of files, tables and literals are: local paths, S3, plain HTTP, and what fsspec knows."""
