"""Debian trees, the ground on which the tests of the systemd unit and of the container image stand."""
