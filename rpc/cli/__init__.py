"""The command `musig-cli`."""
