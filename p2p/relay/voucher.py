"""The voucher of a reservation: the relay's signature that a peer can be reached through it.

Peers need not check it.
"""

from __future__ import annotations

from libp2p.crypto.keys import PrivateKey
from libp2p.peer.envelope import Envelope, make_unsigned
from libp2p.relay.circuit_v2.pb.circuit_pb2 import Voucher

DOMAIN = "libp2p-relay-rsvp"
PAYLOAD_TYPE = b"\x03\x02"


def voucher(key: PrivateKey, relay: bytes, peer: bytes, expires_s: int) -> bytes:
    """A signed envelope; `expires_s` is the end of the reservation in seconds since 1970."""
    payload = Voucher(relay=relay, peer=peer, expiration=expires_s).SerializeToString()
    signature = key.sign(make_unsigned(DOMAIN, PAYLOAD_TYPE, payload))
    return Envelope(key.get_public_key(), PAYLOAD_TYPE, payload, signature).marshal_envelope()
