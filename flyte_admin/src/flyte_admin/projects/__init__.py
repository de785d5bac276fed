"""Projects and domains: who owns what, and where it runs."""
