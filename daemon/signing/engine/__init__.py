"""The engine loop: take, run, commit, send, tell."""
