"""The API described: OpenRPC, docs/rpc.md, the typed client."""
