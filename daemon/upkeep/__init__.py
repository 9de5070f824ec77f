"""Looking after a daemon: health, metrics, retention, backup, doctor."""
