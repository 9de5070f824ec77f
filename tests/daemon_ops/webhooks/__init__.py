"""Webhooks: deliveries, places, and whose they are."""
