"""One request: its machine, and the parts of it that reach across attempts."""
