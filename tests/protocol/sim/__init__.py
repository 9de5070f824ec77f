"""Simulated signing requests: virtual time, a bad network, crashes, and a malicious signer."""
