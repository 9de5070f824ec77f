"""Response times of other signers: from the own contribution to a round until theirs arrives.

Time before the own contribution does not count, so an owner who starts rounds by hand does not make others look slow.
Measured on the monotonic clock; rounds under way when the daemon stops are not measured.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from musig2.protocol.interface.effects import SaveMessage

_SESSIONS = 4_096  # sessions measured at a time; the oldest are dropped
_ROUNDS = (1, 2)  # the sequence numbers of nonces and partial signatures


class ResponseTimes:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._came: OrderedDict[bytes, dict[tuple[int, int | None], int]] = OrderedDict()  # (round, signer; None: own)

    def note(self, save: SaveMessage, mono_ms: int) -> None:
        """A contribution was made here, or came in."""
        if save.seq not in _ROUNDS:
            return
        came = self._came.setdefault(save.session, {})
        signer = None if save.own else save.index
        if save.own or (save.seq, signer) not in came:
            came[save.seq, signer] = mono_ms  # the last of several own keys counts
        while len(self._came) > _SESSIONS:
            self._came.popitem(last=False)

    def take(self, session: bytes) -> Mapping[int, int]:
        """Milliseconds per signer index, the longer of both rounds; forgets the session."""
        came = self._came.pop(session, {})
        longest: dict[int, int] = {}
        for (seq, signer), mono_ms in came.items():
            own_ms = came.get((seq, None))
            if signer is not None and own_ms is not None:
                longest[signer] = max(longest.get(signer, 0), mono_ms - own_ms)
        return longest
