"""Executions: launching them, recording what the data plane reports, and reading all of it."""
