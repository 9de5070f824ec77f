"""Which advertisements clients have heard of, so that one that was evicted and is brought again is no news."""

from __future__ import annotations

from collections.abc import Iterable

from musig2.protocol.wire.sync import SHORT_ID_BYTES

REMEMBERED = 100_000


class Told:
    """Remembers by short id at least the latest half of `most`, and never more than `most`; a restart forgets all.

    `add` belongs to the event loop, after the commit; looking up may happen in any thread.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._half = most // 2
        self._older: set[bytes] = set()
        self._newer: set[bytes] = set()

    def __contains__(self, record_id: bytes) -> bool:
        short = record_id[:SHORT_ID_BYTES]
        return short in self._newer or short in self._older

    def add(self, record_ids: Iterable[bytes]) -> None:
        """These were told."""
        for record_id in record_ids:
            if len(self._newer) >= self._half:
                self._older, self._newer = self._newer, set()
            self._newer.add(record_id[:SHORT_ID_BYTES])
