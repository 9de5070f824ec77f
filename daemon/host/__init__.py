"""The machine around the daemon: its data directory, private files, systemd."""
