"""Text for people: what it may hold, how it is said, what is hidden in logs."""
