"""Flyte in Python: the data plane. A pure machine decides, a shell acts, plugins run tasks."""
