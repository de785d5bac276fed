"""Hosts task-type plugins: builds, creates, observes and deletes what they describe, and quarantines the broken."""
