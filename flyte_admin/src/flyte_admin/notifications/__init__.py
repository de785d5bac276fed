"""Tells people when executions end: queued in the transaction that ends one, sent after it."""
