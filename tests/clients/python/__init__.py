"""The Python kit."""
