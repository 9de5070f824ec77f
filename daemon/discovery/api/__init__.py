"""The RPC methods of discovery."""
