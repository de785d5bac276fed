"""The object store for clients without credentials of it: signed URLs, and data by ``flyte://`` address."""
