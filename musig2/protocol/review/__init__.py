"""What each message of a request is, and what the transaction does that it belongs to."""
