"""Executions and their nodes: read, followed, waited for, ended, described."""
