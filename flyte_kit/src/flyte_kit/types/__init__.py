"""Types of Flyte's own: files, folders, tables. Each is loaded when it is imported."""
