"""Declines: by an owner, and automatically for a key that is asked to sign under another scheme than its own."""

from __future__ import annotations

import structlog

from daemon.clock import WallClock
from daemon.keys.errors import KeyRefused
from daemon.signing.engine.roster import OpenRequest
from daemon.signing.engine.turn import Turn
from daemon.signing.ports import SigningKeystore
from musig2.protocol.interface.inputs import Received
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Decline
from musig2.protocol.wire.frames import Signed

log = structlog.get_logger("musigd.signing")

MISFIT = "scheme_mismatch"


class Declines:
    """Makes declines with own keys, each under the key's own scheme: one secret belongs to one scheme."""

    def __init__(self, *, keystore: SigningKeystore, clock: WallClock) -> None:
        self._keystore = keystore
        self._clock = clock

    def sealed(self, request: bytes, key: bytes, reason: str) -> Signed[Decline]:
        """The decline of a request; raises KeysLocked, UnknownKey."""
        record = Decline(
            scheme=self._keystore.scheme_of(key),
            request=request,
            pubkey=key,
            reason=reason,
            ts=self._clock.wall_ms(),
        )
        return seal(record, lambda digest: self._keystore.sign(key, digest, even_paused=True))

    def misfits(self, turn: Turn, entry: OpenRequest) -> None:
        """Decline a request of a scheme that an own key does not sign, so that its creator knows at once.

        Locked keys cannot sign a decline; it is tried again when they are unlocked.
        """
        if not entry.machine.outcome.live:
            return
        name = entry.request.record.scheme
        key = next((key for key in sorted(entry.own) if self._keystore.scheme_of(key) != name), None)
        if key is None:
            return
        try:
            signed = self.sealed(entry.request.id, key, MISFIT)
        except KeyRefused as error:
            log.info("a request of another scheme cannot be declined yet", key=key.hex(), reason=error.reason)
            return
        log.info("a request of another scheme is declined", request=entry.request.id.hex(), key=key.hex())
        turn.feed(entry, Received(signed, None))
