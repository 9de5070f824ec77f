"""The inputs and effects of the session machine, and how it is restored from the store."""
