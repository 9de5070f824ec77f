"""Finding out whether others can dial this node: it asks peers to dial it back, and does the same for them.

Speaks libp2p's AutoNAT 1 (specification autonat/autonat-v1.md), whose implementation in the library dials whatever it
is told to, as often as it is asked, and calls a node public after one dial of its own.
"""
