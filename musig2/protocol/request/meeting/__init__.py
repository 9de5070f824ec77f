"""Requests of more than 16 signers: they exchange their contributions through hubs."""
