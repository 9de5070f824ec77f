"""The kits for wallets."""
