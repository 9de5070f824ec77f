"""The event log, pushed over WebSockets or pulled."""
