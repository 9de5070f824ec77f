"""The protocol in other languages, written from its description alone."""
