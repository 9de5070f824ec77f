"""The params and results of every method, and the values in them, as pydantic models: the one door for clients."""
