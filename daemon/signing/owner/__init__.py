"""The owner's decisions on requests: consent by the policy, declines, locked keys."""
