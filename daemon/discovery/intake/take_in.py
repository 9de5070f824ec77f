"""The only way into the directory, whichever channel a record came by.

The four checks run in order, cheapest first: size, timestamp, expiry, signature. Known records are dropped before their
signatures are checked; the signatures of a burst are checked together, off the event loop. Then entry and advertisement
must agree, and one transaction stores the whole burst with the events it causes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.clock import Clock
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.log import DirectoryLog, LogChanges, LogOutcome
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.candidates import WaitingRoom, candidate_of, whole_statements
from daemon.discovery.intake.checks import RecordOrigin, Screen, is_public
from daemon.discovery.intake.events import ToldRecords, tell
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryEvents, Offend
from daemon.discovery.unhurried import Unhurried
from daemon.fair_queue import FairQueue
from daemon.store import Store
from musig2.protocol.records.envelope import check_many
from musig2.protocol.records.records import Entry, Notice, Record
from musig2.protocol.wire.frames import Signed
from p2p.network import GossipItem, Offence

INLINE = 12  # up to so many records are checked on the event loop (0.5 ms): a thread would take longer
AT_ONCE = 2_000  # statements in one transaction
IDS_AT_ONCE = 500
ROOM = 20_000  # records from topics that wait
ROOM_OF_ONE = 5_000  # of one forwarder


@dataclass(slots=True)
class Intake:
    """What became of a burst, in records; a statement counts once."""

    stored: int = 0
    known: int = 0
    refused: int = 0  # too old, too large, over a quota, older than what is known
    forged: int = 0


@dataclass(slots=True)
class Written:
    """What one transaction did with its statements."""

    by_outcome: defaultdict[LogOutcome, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    told: list[bytes] = field(default_factory=list)  # ids of those that clients hear of
    changes: LogChanges = field(default_factory=LogChanges)

    def of(self, *outcomes: LogOutcome) -> list[Statement]:
        """The statements with one of these outcomes."""
        return [statement for outcome in outcomes for statement in self.by_outcome[outcome]]


class Ingest:
    """Checks and stores records; belongs to the event loop."""

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
        grew: Callable[[], None],
        on_notice: Callable[[Signed[Notice]], None],
    ) -> None:
        """`offend` is called for forged records with who delivered them, `grew` when something new was stored."""
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
        self._grew = grew
        self._on_notice = on_notice
        self._waiting = WaitingRoom(limits)
        self._screen = Screen(limits)
        self._told = ToldRecords()
        self._writing: dict[bytes, asyncio.Event] = {}  # verified statements, by id; set once on the disk

    async def take(
        self, records: Sequence[Signed[Record]], *, origin: RecordOrigin, peer: bytes | None = None
    ) -> Intake:
        """Check and store records that `peer` delivered; returns once the good ones are committed.

        That goes for those as well that came by another way a moment ago: who hears that they are held finds them.
        """
        intake = Intake()
        now_ms, mono_ms = self._clock.wall_ms(), self._clock.mono_ms()
        passed = [signed for signed in records if self._passes(signed, origin, now_ms, mono_ms)]
        beside = {self._writing[one] for one in map(_id_of_statement, passed) if one in self._writing}
        unknown = self._unknown(passed)
        genuine = unknown if origin.checked else await self._genuine(unknown, peer)
        whole = list(whole_statements(genuine, self._waiting, mono_ms))
        let_in = [one for one in whole if self._screen.lets_in(one, mono_ms)] if origin.live else whole
        intake.known = len(passed) - len(unknown)
        intake.forged = len(unknown) - len(genuine)
        intake.refused = len(records) - len(passed) + len(whole) - len(let_in)
        for start in range(0, len(let_in), AT_ONCE):
            await self._keep(let_in[start : start + AT_ONCE], intake, now_ms, by=peer)
        for written in beside:
            await written.wait()
        return intake

    def _passes(self, signed: Signed[Record], origin: RecordOrigin, now_ms: int, mono_ms: int) -> bool:
        """The gate has already checked size, time and expiry of records from topics."""
        return is_public(signed.record) if origin.checked else self._screen.passes(signed, origin, now_ms, mono_ms)

    def held(self, records: Sequence[Signed[Record]]) -> int:
        """How many of the statements that these records belong to are stored."""
        ids = list({_id_of_statement(signed) for signed in records})
        return len(self._store.read(lambda conn: stored_ids(conn, ids)))

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
        """The records that are neither stored nor about to be; an entry is known by its advertisement."""
        ids = [_id_of_statement(signed) for signed in records]
        known = self._store.read(lambda conn: stored_ids(conn, list(dict.fromkeys(ids)))) | self._writing.keys()
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

        def write(conn: sqlite3.Connection) -> Written:
            also(conn)
            log, written = self._log.write(conn, now_ms), Written()
            log.expect(candidates)
            for candidate in candidates:
                admission, statement = log.admit(candidate), candidate.statement
                written.by_outcome[admission.outcome].append(statement)
                if not admission.outcome.stored or statement.record.id in self._told:
                    continue  # told before: it was evicted, and has returned
                if tell(self._events, conn, candidate, admission, by_bound if candidate.kept else followed):
                    written.told.append(statement.record.id)
            written.changes = log.close()
            return written

        ids, on_disk = [statement.record.id for statement in statements], asyncio.Event()
        self._writing.update(dict.fromkeys(ids, on_disk))
        try:
            written = await self._store.write(write)
        finally:
            for one in ids:
                self._writing.pop(one, None)
            on_disk.set()
        self._settle(written, intake)

    def _settle(self, written: Written, intake: Intake) -> None:
        """After the commit: update the digests, publish the events, count."""
        self._told.add(written.told)
        self._buckets.add(written.changes.added)
        self._buckets.remove(written.changes.gone)
        self._events.publish()
        taken = written.of(LogOutcome.NEW, LogOutcome.RENEWED)
        refused = written.of(LogOutcome.OLDER, LogOutcome.QUOTA)
        self._screen.remember(refused, self._clock.mono_ms())
        intake.stored += len(taken)
        intake.refused += len(refused)
        intake.known += len(written.of(LogOutcome.KNOWN))
        if taken:
            self._grew()
        for record in (statement.record for statement in taken):
            if isinstance(record.record, Notice):
                self._on_notice(Signed(record.record, record.id, record.envelope))


def _id_of_statement(signed: Signed[Record]) -> bytes:
    return signed.record.ad if isinstance(signed.record, Entry) else signed.id


def stored_ids(conn: sqlite3.Connection, ids: Sequence[bytes]) -> set[bytes]:
    """Which of these ids the log has."""
    known: set[bytes] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = conn.execute(f"SELECT id FROM directory_log WHERE id IN ({marks})", some)  # noqa: S608 - only marks
        known.update(row[0] for row in rows)
    return known


class RecordInbox:
    """Records from topics: while one burst is stored, the next one gathers.

    Bounded, and forwarders take turns; what does not fit comes with the next synchronisation.
    """

    def __init__(self, ingest: Ingest, unhurried: Unhurried) -> None:
        self._ingest = ingest
        self._unhurried = unhurried
        self._waiting: FairQueue[Signed[Record]] = FairQueue(per_party=ROOM_OF_ONE, total=ROOM)
        self._filled = asyncio.Event()

    def put(self, batch: Sequence[GossipItem]) -> None:
        """Queue a burst; returns at once."""
        for item in batch:
            self._waiting.put(item.peer, item.signed)
        self._filled.set()

    async def run(self) -> None:
        """Store what arrives, for as long as the daemon runs."""
        while True:
            await self._filled.wait()
            async with self._unhurried.turn() as most:
                burst = [self._waiting.take() for _ in range(min(most, len(self._waiting)))]
                if not self._waiting:
                    self._filled.clear()
                await self._ingest.take(burst, origin=RecordOrigin.GOSSIP)
