"""Transactions, their hashes and addresses, on both chains."""
