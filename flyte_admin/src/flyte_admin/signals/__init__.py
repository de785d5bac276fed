"""Signals: values that gate nodes wait for."""
