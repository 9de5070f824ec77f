"""Connects asyncio and trio: the portal, and what each side knows of the other."""
