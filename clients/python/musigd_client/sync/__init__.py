"""The synchronous face for scripts: plain HTTP by the standard library, no event loop and nothing else to load."""
