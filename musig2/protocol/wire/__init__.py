"""What stands on a stream between two daemons."""
