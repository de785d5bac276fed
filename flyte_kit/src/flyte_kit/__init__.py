"""Flyte in Python: the SDK."""
