"""What the daemon keeps about peers, and where what they send goes."""
