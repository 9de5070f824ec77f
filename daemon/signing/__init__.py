"""Signing requests and sessions: the engine around the session machine, its storage, and its RPC methods."""
