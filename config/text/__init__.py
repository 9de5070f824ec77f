"""Text for people: allowed characters, wording of errors, redaction in logs."""
