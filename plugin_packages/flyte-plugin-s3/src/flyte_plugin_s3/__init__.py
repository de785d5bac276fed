"""Flyte in Python: S3 storage."""
