"""Signing requests in a world of their own: virtual time, a bad network, crashes, and a liar."""
