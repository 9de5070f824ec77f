"""Output on the standard streams: log lines, answers of commands, last error sentences."""
