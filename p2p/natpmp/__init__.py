"""Has a router forward ports by NAT-PMP (RFC 6886), or by PCP (RFC 6887) where it speaks only that.

Loaded only where `p2p.port_mapping` says so. Only the default gateway is asked, over a socket that takes nothing from
anybody else; what it answers is a stranger's, bounded and checked in `messages.py`.
"""
