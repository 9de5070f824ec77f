"""Strangers against a real daemon, while an honest pair signs: `make adversary`, see __main__.py."""
