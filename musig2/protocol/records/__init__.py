"""Signed records: their fields, bytes, ids and checks."""
