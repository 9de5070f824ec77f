"""The event for a new statement: once, in the transaction that stores it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from daemon.discovery.directory.log import Admitted, Candidate, LogOutcome
from daemon.discovery.intake.views import full_view
from daemon.discovery.ports import DirectoryEvents
from musig2.protocol.records.records import Advertisement, Withdrawal
from musig2.protocol.wire.sync import SHORT_ID_BYTES

REMEMBERED = 100_000


def tell(
    events: DirectoryEvents,
    conn: sqlite3.Connection,
    candidate: Candidate,
    admission: Admitted,
    followed: frozenset[str],
) -> bool:
    """Append the event of a stored statement if somebody follows its type; True if it was appended.

    For a statement of an own key, `followed` are the types that the other wallets of this daemon follow.
    """
    signed = candidate.statement.record
    own = {"sameDaemon": True} if candidate.kept else {}
    match signed.record:
        case Advertisement(types=types) if candidate.view is not None and not followed.isdisjoint(types):
            advertisement = full_view(candidate.view, signed.envelope, own=False, reputation=None)
            renewed = admission.outcome is LogOutcome.RENEWED
            events.append(conn, "signer:discovered", {"advertisement": advertisement, "renewed": renewed, **own})
        case Withdrawal(pubkey=pubkey) if (gone := admission.replaced) and not followed.isdisjoint(gone.types):
            told = {"publicKey": pubkey.hex(), "transactionTypes": sorted(gone.types), **own}
            events.append(conn, "signer:withdrawn", told)
        case _:
            return False
    return True


class ToldRecords:
    """Which advertisements clients were told of, so that one that was evicted and returns is not told twice.

    Remembers by short id at least the latest half of `most`, and never more than `most`; a restart forgets all.

    Call `add` on the event loop, after the commit; look up in any thread.
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
