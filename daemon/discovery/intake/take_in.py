"""The one way into the directory, whichever channel brought a record.

The four checks run in order, cheapest first: size, timestamp, expiry, signature. What is known already is dropped
before the signature is looked at; signatures of a burst are checked together, off the event loop. Then entry and
advertisement must agree, and one transaction takes in the whole burst together with the events it causes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from daemon.clock import Clock
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.log import Changes, DirectoryLog
from daemon.discovery.directory.statements import Stated, Statement, is_stated
from daemon.discovery.intake.checks import Screen
from daemon.discovery.intake.events import candidate_of, tell
from daemon.discovery.intake.halves import WaitingRoom
from daemon.discovery.intake.origin import RecordOrigin
from daemon.discovery.intake.told import Told
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryEvents, Offend
from daemon.store import Store
from musig2.protocol.records.checks import entry_agrees
from musig2.protocol.records.envelope import check_many
from musig2.protocol.records.records import Advertisement, Entry, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import SHORT_ID_BYTES
from p2p.network import Offence

INLINE = 12  # so few records are checked at once, half a millisecond: handing them to a thread takes longer
AT_ONCE = 2_000  # statements in one transaction
IDS_AT_ONCE = 500


@dataclass(slots=True)
class Intake:
    """What became of a burst, in records; a statement counts once."""

    stored: int = 0
    known: int = 0
    refused: int = 0  # too old, too large, over a quota, older than what is known
    forged: int = 0


class Ingest:
    """Takes records in; belongs to the event loop."""

    def __init__(
        self,
        *,
        store: Store,
        events: DirectoryEvents,
        clock: Clock,
        limits: DiscoveryLimits,
        log: DirectoryLog,
        buckets: Buckets,
        offend: Offend,
        own_keys: Callable[[], Sequence[bytes]],
        followed: Callable[[], frozenset[str]],
        followed_by_bound: Callable[[], frozenset[str]],
        stored: Callable[[Sequence[Statement]], None],
    ) -> None:
        """`offend` is told of forged records and who delivered them; `stored` of every statement that was taken in."""
        self._store = store
        self._events = events
        self._clock = clock
        self._limits = limits
        self._log = log
        self._buckets = buckets
        self._offend = offend
        self._own_keys = own_keys
        self._followed = followed
        self._followed_by_bound = followed_by_bound
        self._stored = stored
        self._waiting = WaitingRoom(limits)
        self._screen = Screen(limits)
        self._told = Told()
        self._writing: set[bytes] = set()  # ids of verified statements on their way to the disk

    async def take(
        self, records: Sequence[Signed[Record]], *, origin: RecordOrigin, peer: bytes | None = None
    ) -> Intake:
        """Check and store records that `peer` delivered; returns when what is good is on the disk."""
        intake = Intake()
        now_ms, mono_ms = self._clock.wall_ms(), self._clock.mono_ms()
        passed = [signed for signed in records if self._passes(signed, origin, now_ms, mono_ms)]
        intake.refused = len(records) - len(passed)
        unknown = self._unknown(passed)
        intake.known = len(passed) - len(unknown)
        genuine = unknown if origin.checked else await self._genuine(unknown, peer)
        intake.forged = len(unknown) - len(genuine)
        whole = self._join(genuine, mono_ms)
        fresh = [statement for statement in whole if statement.record.id not in self._writing]
        intake.known += len(whole) - len(fresh)
        timely = [statement for statement in fresh if not self._screen.too_often(statement, origin, mono_ms)]
        intake.refused += len(fresh) - len(timely)
        for start in range(0, len(timely), AT_ONCE):
            await self._keep(timely[start : start + AT_ONCE], intake, now_ms, by=peer)
        return intake

    def _passes(self, signed: Signed[Record], origin: RecordOrigin, now_ms: int, mono_ms: int) -> bool:
        refused = self._screen.refused_before(signed.id[:SHORT_ID_BYTES], mono_ms)
        return not refused and self._screen.passes(signed, origin, now_ms)

    def held(self, records: Sequence[Signed[Record]]) -> int:
        """How many statements these records belong to that are stored, or about to be."""
        ids = list({_id_of_statement(signed) for signed in records})
        return len(self._store.read(lambda conn: stored_ids(conn, ids)) | self._writing.intersection(ids))

    def refused_before(self, short_id: bytes) -> bool:
        """Whether the statement with this short id was refused a moment ago, and would be again."""
        return self._screen.refused_before(short_id, self._clock.mono_ms())

    async def keep_own(self, statement: Statement, also: Callable[[sqlite3.Connection], None]) -> None:
        """Store a statement made here, in one transaction with what `also` writes."""

        def keep(conn: sqlite3.Connection) -> None:
            conn.execute("INSERT OR IGNORE INTO directory_kept VALUES (?, 'own')", (statement.subject,))
            also(conn)

        await self._keep([statement], Intake(), self._clock.wall_ms(), keep, own=True)

    def _unknown(self, records: list[Signed[Record]]) -> list[Signed[Record]]:
        """Without those that are stored; an entry is known by its advertisement."""
        ids = [_id_of_statement(signed) for signed in records]
        known = self._store.read(lambda conn: stored_ids(conn, list(dict.fromkeys(ids))))
        return [signed for signed, record_id in zip(records, ids, strict=True) if record_id not in known]

    async def _genuine(self, records: list[Signed[Record]], peer: bytes | None) -> list[Signed[Record]]:
        if len(records) <= INLINE:
            verdicts = check_many(records)
        else:
            verdicts = await asyncio.to_thread(check_many, records)
        if peer is not None:
            for _ in range(verdicts.count(False)):
                self._offend(peer, Offence.BAD_SIGNATURE)
        return [signed for signed, genuine in zip(records, verdicts, strict=True) if genuine]

    def _join(self, records: list[Signed[Record]], mono_ms: int) -> list[Statement]:
        """Whole statements. An entry mostly comes right behind its advertisement; other halves wait."""
        whole: list[Statement] = []
        for at, signed in enumerate(records):
            record = signed.record
            if isinstance(record, Advertisement | Entry):
                if at and isinstance(record, Entry) and whole and whole[-1].record is records[at - 1]:
                    continue
                following = records[at + 1] if at + 1 < len(records) else None
                statement = pair(signed, following) or self._waiting.offer(
                    cast("Signed[Advertisement] | Signed[Entry]", signed), mono_ms
                )
            else:
                statement = Statement(cast("Signed[Stated]", signed)) if is_stated(signed) else None
            if statement is not None:
                whole.append(statement)
        return whole

    async def _keep(
        self,
        statements: list[Statement],
        intake: Intake,
        now_ms: int,
        also: Callable[[sqlite3.Connection], None] = lambda _: None,
        *,
        own: bool = False,
        by: bytes | None = None,
    ) -> None:
        keys, private = frozenset(self._own_keys()), self._limits.private_ranges
        followed, by_bound = self._followed(), self._followed_by_bound()
        candidates = [
            candidate_of(statement, keys, kept=own, private_ranges=private, by=by) for statement in statements
        ]

        def write(conn: sqlite3.Connection) -> tuple[Changes, list[bytes]]:
            told: list[bytes] = []
            also(conn)
            log = self._log.write(conn, now_ms)
            log.expect(candidates)
            for candidate in candidates:
                verdict, record_id = log.admit(candidate), candidate.statement.record.id
                if verdict.stored and record_id not in self._told:  # told already: it was evicted, and is here again
                    types = by_bound if candidate.kept else followed
                    if tell(self._events, conn, candidate, verdict, log.changes.replaced[-1], types):
                        told.append(record_id)
            return log.close(), told

        ids = {statement.record.id for statement in statements}
        self._writing |= ids
        try:
            changes, told = await self._store.write(write)
        finally:
            self._writing -= ids
        self._told.add(told)
        self._buckets.add(changes.added)
        self._buckets.remove(changes.gone)
        self._events.publish()
        self._screen.remember(statements, changes.verdicts, self._clock.mono_ms())
        taken = [statement for statement, verdict in zip(statements, changes.verdicts, strict=True) if verdict.stored]
        intake.stored += len(taken)
        intake.refused += len(statements) - len(taken)
        self._stored(taken)


def _id_of_statement(signed: Signed[Record]) -> bytes:
    return signed.record.ad if isinstance(signed.record, Entry) else signed.id


def pair(signed: Signed[Record], following: Signed[Record] | None) -> Statement | None:
    """An advertisement with the entry that follows it, if these two belong together."""
    if following is None or not isinstance(signed.record, Advertisement) or not isinstance(following.record, Entry):
        return None
    advertisement = cast("Signed[Advertisement]", signed)
    if not entry_agrees(following.record, advertisement):
        return None
    return Statement(advertisement, cast("Signed[Entry]", following))


def stored_ids(conn: sqlite3.Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Which of these ids the log has."""
    known: set[bytes] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = conn.execute(f"SELECT id FROM directory_log WHERE id IN ({marks})", some)  # noqa: S608 - only marks
        known.update(row[0] for row in rows)
    return known
