"""What peers send over streams, and what is sent to them."""
