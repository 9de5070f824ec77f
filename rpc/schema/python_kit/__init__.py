"""Writes the Python kit's types from the OpenRPC document: `python -m rpc.schema.python_kit`."""
