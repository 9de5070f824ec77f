"""What the owner of the keys wants: rules, declines, locks."""
