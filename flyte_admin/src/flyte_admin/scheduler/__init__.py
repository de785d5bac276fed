"""Starts executions of active launch plans at the times of their schedules."""
