"""Phases 0 and 1: advertise a signer once, be found by everyone; docs/discovery.md tells how it fits together."""
