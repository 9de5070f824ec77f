"""The audit log: who had what done with the keys, in a chain of hashes that shows every later change."""
