"""The imperative rim around the machine: gathers facts, applies effects, saves the state."""
