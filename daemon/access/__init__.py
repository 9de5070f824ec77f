"""Who may call, and what they were answered: tokens and idempotency keys."""
