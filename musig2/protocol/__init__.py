"""What two daemons say to each other: records, envelopes, frames, and the session machine. No I/O."""
