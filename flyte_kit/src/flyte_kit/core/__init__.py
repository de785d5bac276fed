"""Authoring: tasks, workflows, types, launch plans. Module names are flytekit's, so that imports only change prefix."""
