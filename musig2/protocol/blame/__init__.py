"""Why an attempt ended, and what proves a signer's misbehaviour."""
