"""Tells the co-signers that a request waits for its owner, if the owner allows it."""

from __future__ import annotations

from daemon.clock import WallClock
from daemon.signing.engine.roster import OpenRequest
from daemon.signing.engine.turn import Turn
from daemon.signing.ports import SigningKeystore, SigningNetwork
from musig2.protocol.interface.inputs import Received
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Considering
from p2p.network import Work


class CoSigners:
    """Makes considerings with own keys."""

    def __init__(self, *, keystore: SigningKeystore, clock: WallClock, network: SigningNetwork, told: bool) -> None:
        """`told`: whether co-signers may be told."""
        self._network = network
        self._keystore = keystore
        self._clock = clock
        self._told = told

    def tell(self, turn: Turn, entry: OpenRequest, key: bytes) -> None:
        """A usable own key waits for its owner from now on: tell the co-signers."""
        if not self._told:
            return
        scheme = self._keystore.scheme_of(key)
        record = Considering(scheme=scheme, request=entry.request.id, pubkey=key, ts=self._clock.wall_ms())
        if entry.source is not None:  # who sends requests without end makes this daemon sign as many of these
            self._network.charge(entry.source, Work.SIGNATURE, 2)
            self._network.charge(entry.source, Work.ROW)
        turn.feed(entry, Received(seal(record, lambda digest: self._keystore.sign(key, digest)), None))
