"""The image under a real engine: `make test-docker`."""
