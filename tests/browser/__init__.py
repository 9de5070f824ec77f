"""The page in a real browser, against real daemons: `make test-browser`."""
