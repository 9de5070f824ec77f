"""The checks that a request must pass before it is stored: an own key, the rules of the protocol, quotas per peer.

The gate has already decoded it strictly and checked the creator's signature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from daemon.signing.engine.rooms import Berth, Rooms
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.mutes import Mutes
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import bounds_problem
from musig2.protocol.wire.frames import Signed

BUSY = "busy"
HOUR_MS = 3_600_000


class Admission:
    """Decides whether requests from peers are taken."""

    def __init__(self, *, roster: Roster, rooms: Rooms, limits: SigningLimits, mutes: Mutes) -> None:
        self._roster = roster
        self._rooms = rooms
        self._limits = limits
        self._mutes = mutes
        self._since_ms = 0  # the hour in which unwanted requests are counted

    def problem(self, signed: Signed[Request], own: Collection[bytes], peer: bytes, wall_ms: int) -> str | None:
        """Why this request is refused, by the checks that cost nothing; `busy` may be tried again.

        None: it is taken if `request_problem` finds nothing either, and there is room: `crowded`.
        """
        if not own:
            return "key_not_required"
        if self._mutes.refuses(signed.record.creator, own):
            return "muted"
        problem = bounds_problem(signed, wall_ms, self._limits.wire)
        return BUSY if problem is None and self._has_its_share(peer, wall_ms) else problem

    def crowded(self, berth: Berth) -> bool:
        """Whether there is no room at this berth even if others give way."""
        return not self._rooms.fits(berth) and self._rooms.gives_way(berth) is None

    def giving_way(self, berth: Berth) -> Iterator[OpenRequest]:
        """The requests that have to leave before one lies at this berth. Each has left when the next is asked for."""
        while not self._rooms.fits(berth) and (request := self._rooms.gives_way(berth)) is not None:
            entry = self._roster.get(request)
            if entry is None:
                return
            yield entry

    def _has_its_share(self, peer: bytes, wall_ms: int) -> bool:
        """Unwanted requests count against their peer for an hour, or request and cancel would cost it nothing."""
        waiting, unwanted = self._roster.unsolicited, self._roster.unwanted
        if abs(wall_ms - self._since_ms) >= HOUR_MS:
            unwanted.clear()
            self._since_ms = wall_ms
        return waiting[peer] + unwanted[peer] >= self._limits.unsolicited_per_peer
