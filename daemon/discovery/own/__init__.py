"""What this daemon says of itself: own advertisements and the node record."""
