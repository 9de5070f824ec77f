"""Has the router of a home network forward this node's ports: by UPnP, NAT-PMP or PCP, whichever it speaks.

Loaded only where `p2p.port_mapping` says so. Whatever answers in a local network is a stranger: what is asked, and what
an answer may hold, is bounded here, and nobody but the default gateway is asked. What it says is not believed either:
an address counts when peers have dialled it (p2p/dialback).
"""
