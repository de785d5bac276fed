"""Tasks: registered templates of work, each version unchangeable."""
