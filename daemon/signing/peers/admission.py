"""What a request must pass before anything of it is stored: an own key, the checks of the protocol, quotas per peer.

The gate has already decoded it strictly and checked the creator's signature.
"""

from __future__ import annotations

from collections.abc import Collection

from daemon.signing.engine.roster import Roster
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.mutes import Mutes
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import bounds_problem
from musig2.protocol.wire.frames import Signed

BUSY = "busy"
HOUR_MS = 3_600_000


class Admission:
    """Decides on requests that peers bring."""

    def __init__(self, *, roster: Roster, limits: SigningLimits, mutes: Mutes) -> None:
        self._roster = roster
        self._limits = limits
        self._mutes = mutes
        self._since_ms = 0  # the hour in which unwanted requests are counted

    def problem(self, signed: Signed[Request], own: Collection[bytes], peer: bytes, wall_ms: int) -> str | None:
        """Why this request is not taken, as far as it costs nothing to see; `busy` may be tried again.

        None: it is welcome if `request_problem` finds nothing either.
        """
        if not own:
            return "key_not_required"
        if self._mutes.refuses(signed.record.creator, own):
            return "muted"
        return bounds_problem(signed, wall_ms, self._limits.wire) or (None if self._room_for(peer, wall_ms) else BUSY)

    def _room_for(self, peer: bytes, wall_ms: int) -> bool:
        """What a peer brought and nobody wanted counts for an hour, or request and cancel would cost it nothing."""
        waiting, unwanted = self._roster.unsolicited, self._roster.unwanted
        if abs(wall_ms - self._since_ms) >= HOUR_MS:
            unwanted.clear()
            self._since_ms = wall_ms
        mine = waiting[peer] + unwanted[peer]
        return mine < self._limits.unsolicited_per_peer and waiting.total() < self._limits.unsolicited_total
