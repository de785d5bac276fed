"""Named entities: what all versions of a name share, its description and state."""
