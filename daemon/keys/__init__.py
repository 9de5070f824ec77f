"""The signing keys and the peer identity: sealed at rest, opened in locked memory."""
