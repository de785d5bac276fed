"""The data catalog: outputs of cached tasks, and reservations of those that are being computed."""
