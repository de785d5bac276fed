"""The composition root of ``flyte up``: every plane in one process, on SQLite and local files."""
