"""Tasks that are shell scripts."""
