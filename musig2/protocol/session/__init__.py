"""One signing request and its attempts: the state machine."""
