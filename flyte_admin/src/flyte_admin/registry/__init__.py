"""What all registered entities share: admission, identity of content, and their rows."""
