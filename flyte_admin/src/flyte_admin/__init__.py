"""Flyte in Python: the control plane."""
