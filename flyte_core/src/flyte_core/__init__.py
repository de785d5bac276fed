"""Flyte in Python: hookspecs, plugin system, compiler, identifiers, phases and ports.

Imported by every plane and by every plugin; imports none of them.
"""
