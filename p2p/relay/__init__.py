"""Circuit relay v2: a peer that cannot be dialled is reached through another, which sees only encrypted bytes.

    service.py     the relay: grants reservations, joins two streams into a circuit
    bridge.py      carries the bytes of circuits, within what each peer and all together may use
    client.py      keeps reservations with relays, takes the circuits that come through them
    circuit.py     a circuit as a connection, below Noise and Yamux

Follows libp2p's specification relay/circuit-v2.md, revision 3; docs/decisions/relay.md says why the library's own
implementation is not used.
"""
