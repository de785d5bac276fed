"""The pure heart: ``evaluate(workflow, state, facts) -> Step``. No I/O, clock, randomness, log or plugin call."""
