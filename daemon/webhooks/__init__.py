"""Events posted to URLs, for those who hold no connection open."""
