"""A seeded world around the real machine and shell: fake ports with faults, and the checks of what must hold."""
