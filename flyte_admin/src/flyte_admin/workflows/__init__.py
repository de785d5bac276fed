"""Workflows: compiled once when registered; the compiled closure lies in the object store."""
