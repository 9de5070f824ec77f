"""Above 16 signers not everybody speaks to everybody: where they meet, and what is passed on there."""
