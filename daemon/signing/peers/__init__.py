"""Signing's side of the network: what comes in, what is admitted, who is dialled."""
