"""The numbers of the architecture, measured: `nox -s bench [-- NAME …]`."""
