"""Attacks on what spreads: topics, notices, the DHT."""

from __future__ import annotations

import time
from itertools import count

from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.id import ID
from libp2p.pubsub.pb.rpc_pb2 import Message
from libp2p.pubsub.validators import PUBSUB_SIGNING_PREFIX


class Author:
    """Makes messages for topics, each with a number and a signature of its own."""

    def __init__(self, seed: bytes) -> None:
        self._keys = create_new_key_pair(seed)
        self._peer = ID.from_pubkey(self._keys.public_key).to_bytes()
        self._numbers = count(time.time_ns())

    def message(self, topic: str, data: bytes) -> Message:
        """One message."""
        number = next(self._numbers).to_bytes(8, "big")
        made = Message(from_id=self._peer, data=data, seqno=number, topicIDs=[topic])
        made.signature = self._keys.private_key.sign(PUBSUB_SIGNING_PREFIX.encode() + made.SerializeToString())
        made.key = self._keys.public_key.serialize()
        return made
