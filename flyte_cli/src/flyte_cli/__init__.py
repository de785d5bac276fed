"""Flyte in Python: the flyte command."""
