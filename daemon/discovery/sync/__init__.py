"""Synchronising directories: asking peers, and answering them."""
