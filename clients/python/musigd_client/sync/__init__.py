"""The synchronous client for scripts: plain HTTP by the standard library, without an event loop."""
