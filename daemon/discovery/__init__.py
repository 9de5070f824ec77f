"""Phases 0 and 1: advertise a signer once and be found by everyone; docs/discovery.md explains how it works."""
