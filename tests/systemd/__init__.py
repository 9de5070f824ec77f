"""The unit file under a real systemd: `make test-systemd`."""
