"""Posts events to URLs, for receivers that hold no connection open."""
