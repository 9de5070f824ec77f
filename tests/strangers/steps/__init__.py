"""What the peer shows among real daemons; each step has daemons of its own."""
