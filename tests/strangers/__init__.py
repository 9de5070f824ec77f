"""Programs of others: the protocol in other languages, from its description alone."""
