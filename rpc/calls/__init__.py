"""From the bytes of a message to the answer of its method."""
