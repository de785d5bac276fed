"""From entities of the SDK to messages of the wire; the same input gives the same bytes."""
