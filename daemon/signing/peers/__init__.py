"""Signing and peers: incoming frames, admission of requests, dialling."""
