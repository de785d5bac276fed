"""Serialization, under flytekit's module names."""
