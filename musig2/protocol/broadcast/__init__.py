"""After the signature: who broadcasts, and who takes over."""
