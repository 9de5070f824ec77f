"""The signing tables: what is written, read and shown of them."""
