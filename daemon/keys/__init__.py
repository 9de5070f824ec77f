"""The signing keys and the peer identity: sealed at rest, opened into locked memory."""
