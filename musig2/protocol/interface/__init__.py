"""What goes into the session machine, what comes out, and how it comes back from the store."""
