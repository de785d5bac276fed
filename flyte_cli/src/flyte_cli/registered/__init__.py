"""What is registered - projects, tasks, workflows, launch plans - read, described and changed."""
