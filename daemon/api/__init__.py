"""RPC handlers around keys, tokens, peers and the daemon itself; those of discovery and signing are with them."""
