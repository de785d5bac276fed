"""Flyte in Python: container, python-task, raw-container and sidecar tasks as pods."""
