"""RPC handlers for keys, tokens, peers and the daemon itself; discovery and signing have their own."""
