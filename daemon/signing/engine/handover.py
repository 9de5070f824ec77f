"""Which peers of the other signers have one request: a small state per peer, changed only here.

                  unknown    pushed     busy       holds      confirmed
    pushed        pushed     pushed     busy       confirmed  confirmed
    shows         holds      confirmed  confirmed  holds      confirmed
    lacks         unknown    pushed     busy       unknown    pushed
    no room       busy       busy       busy       busy       busy
    pause over    unknown    pushed     unknown    holds      confirmed
    lost          unknown    unknown    unknown    holds      holds

The creator pushes the request to a peer, which shows by any frame about it that it holds it. `confirmed` is both, over
the current connection; after `lacks` it is not pushed again at once, because answers cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from musig2.protocol.wire.frames import Frame, Signed

REPEAT_MS = 3_000
CROSSED_MS = 1_000  # within this time after a push, "unknown" was sent before the push arrived


class HandoverState(StrEnum):
    """Whether a peer has the request."""

    UNKNOWN = "unknown"
    PUSHED = "pushed"
    BUSY = "busy"
    HOLDS = "holds"
    CONFIRMED = "confirmed"


class Heard(StrEnum):
    """What changes it."""

    PUSHED = "pushed"
    SHOWS = "shows"
    LACKS = "lacks"
    NO_ROOM = "no room"
    PAUSE_OVER = "pause over"
    LOST = "lost"


_U, _P, _B, _H, _C = HandoverState
TABLE: Mapping[Heard, Mapping[HandoverState, HandoverState]] = {
    heard: dict(zip(HandoverState, becomes, strict=True))
    for heard, becomes in {
        Heard.PUSHED: (_P, _P, _B, _C, _C),
        Heard.SHOWS: (_H, _C, _C, _H, _C),
        Heard.LACKS: (_U, _P, _B, _U, _P),
        Heard.NO_ROOM: (_B, _B, _B, _B, _B),
        Heard.PAUSE_OVER: (_U, _P, _U, _H, _C),
        Heard.LOST: (_U, _U, _U, _H, _H),
    }.items()
}


@dataclass(slots=True, eq=False)
class PeerRecord:
    """One peer, as far as one request goes."""

    standing: HandoverState = HandoverState.UNKNOWN
    pushed_ms: int | None = None  # over the current connection (monotonic)
    shown_ms: dict[bytes, int] = field(default_factory=dict)  # the records sent over it, and when (monotonic)

    def hear(self, heard: Heard) -> None:
        """Change the standing according to the table."""
        self.standing = TABLE[heard][self.standing]

    @property
    def holds(self) -> bool:
        """Whether it has shown that it holds the request, and not said otherwise since."""
        return self.standing in (HandoverState.HOLDS, HandoverState.CONFIRMED)


class Handover:
    """The peers that one request went to or came from."""

    def __init__(self, delivered: Iterable[int] = ()) -> None:
        """`delivered`: positions of signers whose peer is known to have been sent the request."""
        self.delivered = set(delivered)
        self._peers: dict[bytes, PeerRecord] = {}

    def standing(self, peer: bytes) -> HandoverState:
        """The standing of that peer."""
        record = self._peers.get(peer)
        return HandoverState.UNKNOWN if record is None else record.standing

    def pushed(self, peer: bytes, indexes: Iterable[int], now_ms: int, *, anew: bool) -> None:
        """It was sent the request for these signers; `anew`: just now, otherwise perhaps earlier."""
        self.delivered.update(indexes)
        record = self._record(peer)
        if anew or record.pushed_ms is None:
            record.pushed_ms = now_ms
        record.hear(Heard.PUSHED)

    def shows(self, peer: bytes) -> bool:
        """A frame of its own shows that it holds the request; returns whether that is news."""
        record = self._record(peer)
        news = not record.holds
        record.hear(Heard.SHOWS)
        return news

    def lacks(self, peer: bytes, now_ms: int) -> bool:
        """It says that it lacks the request; returns whether it said so after the last push."""
        record = self._record(peer)
        record.hear(Heard.LACKS)
        return record.pushed_ms is None or record.pushed_ms + CROSSED_MS <= now_ms

    def no_room(self, peer: bytes) -> bool:
        """It has no room for the request; returns whether that is news, and `pause_over` is to be called later."""
        record = self._record(peer)
        news = record.standing is not HandoverState.BUSY
        record.hear(Heard.NO_ROOM)
        return news

    def pause_over(self, peer: bytes) -> None:
        """A peer that had no room may be sent the request once more."""
        record = self._peers.get(peer)
        if record is not None:
            record.hear(Heard.PAUSE_OVER)
            if record.standing is HandoverState.UNKNOWN:
                record.pushed_ms = None

    def lost(self, peer: bytes, indexes: Iterable[int]) -> None:
        """The connection is gone, with what was on its way to the peer of these signers."""
        record = self._peers.get(peer)
        if record is None or not record.holds:
            self._peers.pop(peer, None)
            self.delivered.difference_update(indexes)
            return
        record.pushed_ms = None
        record.shown_ms.clear()
        record.hear(Heard.LOST)

    def repeats(self, frame: Frame, peer: bytes, now_ms: int) -> bool:
        """Whether this record went to this peer a moment ago, over the same connection; if not, it is noted.

        Many peers ask many peers, and answers cross: without this, thirty signers would send everything ten times.
        """
        if not isinstance(frame, Signed):
            return False
        shown_ms = self._record(peer).shown_ms
        if shown_ms.get(frame.id, -REPEAT_MS) + REPEAT_MS > now_ms:
            return True
        shown_ms[frame.id] = now_ms
        return False

    def _record(self, peer: bytes) -> PeerRecord:
        record = self._peers.get(peer)
        if record is None:
            record = self._peers[peer] = PeerRecord()
        return record
