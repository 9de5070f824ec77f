"""The directory log: its lines, their order, their limits, and what is found in them."""
