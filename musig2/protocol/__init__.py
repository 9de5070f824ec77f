"""The protocol between daemons: records, envelopes, frames, and the session machine. No I/O."""
