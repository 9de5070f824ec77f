"""One attempt of a request: its transcript, and the session of each own key with its state table."""
