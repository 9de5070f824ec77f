"""What leaves the process by its standard streams: log lines, answers of commands, last sentences."""
