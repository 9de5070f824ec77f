"""The RPC methods of requests and sessions."""
