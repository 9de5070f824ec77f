"""The event log: rows with a gapless `seq`, published to subscribers once they are on the disk.

Events are appended inside the write function of the change they report, so that there is no change without its event
and no event without its change. A rolled-back write releases its numbers. Subscribers get the text that was stored, and
only once it is on the disk, so live events and history are the same. What was just appended is kept until it is
published, under its number: that of a write that was rolled back is taken over by the next one.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import orjson

from daemon.audit.log import AuditLog, recorded_of
from daemon.clock import WallClock
from daemon.store import Store
from daemon.store.inserts import insert_rows

PUBLISHED_AT_ONCE: Final = 500
DELETED_AT_ONCE: Final = 5_000
MOST_FRESH: Final = 4 * PUBLISHED_AT_ONCE
MOST_BYTES: Final = 1024 * 1024 * 1024  # of data, so that strangers who advertise without end cannot fill the disk

Listener = Callable[[Sequence["Event"]], None]


@dataclass(frozen=True)
class Event:
    """One row; `text` are its data as JSON."""

    seq: int
    event: str
    time: int
    text: str

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """Read when somebody asks for them; `publicKeys`, where present, are the own keys concerned, as hex."""
        data: Mapping[str, Any] = orjson.loads(self.text)
        return data


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be appended.

    `keys` are the own keys it concerns: they go into the data as `publicKeys`, and tokens bound to other keys never
    see the event. Without keys everybody may see it. The ids go into the data too. `on_record`: False for what
    strangers can cause without end, because the audit log is kept for years. `grounds`: why, for that log alone.
    """

    name: str
    data: Mapping[str, Any]
    keys: Sequence[bytes] = ()
    request_id: bytes | None = None
    session_id: bytes | None = None
    attempt: int | None = None
    on_record: bool = True
    grounds: Mapping[str, Any] = field(default_factory=dict)

    def whole(self) -> Mapping[str, Any]:
        """The data as they are stored."""
        whole = dict(self.data)
        if self.keys:
            whole["publicKeys"] = [key.hex() for key in self.keys]
        if self.request_id is not None:
            whole["requestId"] = self.request_id.hex()
        if self.session_id is not None:
            whole["sessionId"] = self.session_id.hex()
        if self.attempt is not None:
            whole["attempt"] = self.attempt
        return whole


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Something for the audit log alone, which subscribers are not told."""

    what: str
    facts: Mapping[str, Any]


class EventLog:
    """The stored log of one daemon; use it from the event loop, `append` inside write functions.

    `log_id` names this log: it is made with the database, and anew by a restore, so that a client can tell that its
    position belongs to another log.
    """

    def __init__(self, *, store: Store, clock: WallClock, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._clock = clock
        self._audit = AuditLog(clock)
        self._most_bytes = most_bytes
        self._appended = most_bytes  # appended since the log was measured; it was not measured yet
        self.grown = asyncio.Event()  # it is time for `forget_surplus`
        self._listeners: list[Listener] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._telling = False
        self._look = False  # there may be events that were not published yet
        self._known = 0  # everything up to this seq is on the disk
        self._fresh: dict[int, Event] = {}  # written by the writer's thread
        self.log_id = ""
        self.next_seq = 1
        self.oldest_seq = 1

    async def start(self) -> None:
        """Load the position of the log; call it before anything else."""
        self.log_id = await self._store.write(_own_log_id)
        self.next_seq = self._store.read(last_seq) + 1
        self.oldest_seq = self._store.read(_oldest_seq) or self.next_seq

    def append(
        self,
        conn: sqlite3.Connection,
        name: str,
        data: Mapping[str, Any],
        *,
        keys: Sequence[bytes] = (),
        request_id: bytes | None = None,
        session_id: bytes | None = None,
        attempt: int | None = None,
        on_record: bool = True,
    ) -> None:
        """Add a row inside a write function; call `publish` once that write has returned. The rest as of NewEvent."""
        self.append_all(conn, [NewEvent(name, data, keys, request_id, session_id, attempt, on_record)])

    def append_all(self, conn: sqlite3.Connection, told: Sequence[NewEvent | OnRecord]) -> int:
        """Add several rows in this order, as `append` does, and what is only put on record.

        Returns the seq of the last one, for `publish`; 0 for none.
        """
        now_ms = self._clock.wall_ms()
        rows, recorded = [], []
        for one in told:
            if isinstance(one, OnRecord):
                recorded.append((one.what, one.facts))
                continue
            whole = one.whole()
            rows.append((one.name, now_ms, orjson.dumps(whole).decode()))
            if one.on_record and (facts := recorded_of(one.name, whole)) is not None:
                recorded.append((one.name, {**facts, **one.grounds}))
        last = insert_rows(conn, "INSERT INTO events (event, time, data)", rows)
        self._audit.append_all(conn, recorded)
        self._keep(rows, last)
        return last

    def _keep(self, rows: Sequence[tuple[str, int, str]], last: int) -> None:
        if len(self._fresh) > MOST_FRESH:  # of writes that nobody published
            self._fresh.clear()
        for seq, row in enumerate(rows, last - len(rows) + 1):
            self._fresh[seq] = Event(seq, *row)
            self._appended += len(row[2])

    def publish(self, upto: int | None = None) -> None:
        """Pass every row committed since the last call to subscribers, in order. Safe to call at any time.

        `upto`: a seq that is on the disk, with all before it, where the caller knows one; then only those are passed.
        """
        if upto is None:
            self._look = True
        else:
            self._known = max(self._known, upto)
        if self._telling:  # a listener appended and publishes: the loop below runs once more
            return
        self._telling = True
        try:
            while burst := self._next_burst():
                self.next_seq = burst[-1].seq + 1
                self._tell(burst)
        finally:
            self._telling = False
        if self._appended > self._most_bytes // 8:
            self.grown.set()

    def _next_burst(self) -> list[Event]:
        if self.next_seq > self._known and not self._look:
            return []
        end = min(self._known + 1, self.next_seq + PUBLISHED_AT_ONCE)
        fresh = [self._fresh.pop(seq, None) for seq in range(self.next_seq, end)]
        known = [event for event in fresh if event is not None]
        if known and len(known) == len(fresh):
            return known
        burst = self._committed(self.next_seq, PUBLISHED_AT_ONCE)
        self._look = len(burst) == PUBLISHED_AT_ONCE
        for event in burst:
            self._fresh.pop(event.seq, None)
        return burst

    def read(self, from_seq: int, limit: int) -> list[Event]:
        """Published events with seq >= from_seq, at most `limit`."""
        return self._committed(from_seq, limit, before=self.next_seq)

    async def wait(self, seq: int) -> None:
        """Return once the event with this seq is published."""
        if seq < self.next_seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (seq, future)
        self._waiting.append(entry)
        try:
            await future
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def subscribe(self, callback: Listener) -> Callable[[], None]:
        """Call back with each burst of new events from now on, on the event loop; returns a function that ends it.

        `next_seq` is already past the burst. The callback must not raise and must not wait.
        """
        self._listeners.append(callback)

        def unsubscribe() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return unsubscribe

    async def forget_before(self, cutoff_ms: int) -> int:
        """Remove the oldest events up to the first one not older than `cutoff_ms`; returns how many went."""
        return await self._forget(self._store.read(lambda conn: _first_since(conn, cutoff_ms)))

    async def forget_surplus(self) -> int:
        """Remove the oldest events beyond `most_bytes`, if the log has grown by an eighth of that; how many went."""
        if self._appended <= self._most_bytes // 8:
            return 0
        self._appended = 0
        return await self._forget(await self._store.read_slow(lambda conn: _first_within(conn, self._most_bytes)))

    async def _forget(self, end: int) -> int:
        """Remove only a prefix, so that the rest stays gapless even if the clock jumped back."""
        removed = 0
        while gone := await self._store.write(lambda conn: _delete_before(conn, end)):
            removed += gone
            self.oldest_seq = self._store.read(_oldest_seq) or self.next_seq
        return removed

    def _committed(self, from_seq: int, limit: int, before: int = 2**62) -> list[Event]:
        def rows(conn: sqlite3.Connection) -> list[tuple[int, str, int, str]]:
            query = "SELECT seq, event, time, data FROM events WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
            return conn.execute(query, (from_seq, before, limit)).fetchall()

        return [Event(*row) for row in self._store.query(rows)]

    def _tell(self, burst: Sequence[Event]) -> None:
        for listener in tuple(self._listeners):
            listener(burst)
        reached = [entry for entry in self._waiting if entry[0] < self.next_seq]
        self._waiting = [entry for entry in self._waiting if entry[0] >= self.next_seq]
        for _, future in reached:
            if not future.done():
                future.set_result(None)


def renew_log_id(conn: sqlite3.Connection) -> str:
    """Give the log a new id, because its numbers may have been used before (after a restore)."""
    log_id = secrets.token_hex(8)
    conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('log_id', ?)", (log_id,))
    return log_id


def _own_log_id(conn: sqlite3.Connection) -> str:
    row = conn.execute("SELECT value FROM meta WHERE name = 'log_id'").fetchone()
    return str(row[0]) if row else renew_log_id(conn)


def last_seq(conn: sqlite3.Connection) -> int:
    """The seq of the latest event, including the current transaction; 0 before the first."""
    row = conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(row[0]) if row else 0


def _oldest_seq(conn: sqlite3.Connection) -> int | None:
    row = conn.execute("SELECT seq FROM events ORDER BY seq LIMIT 1").fetchone()
    return int(row[0]) if row else None


def _first_since(conn: sqlite3.Connection, cutoff_ms: int) -> int:
    kept = conn.execute("SELECT seq FROM events WHERE time >= ? ORDER BY seq LIMIT 1", (cutoff_ms,)).fetchone()
    return int(kept[0]) if kept else last_seq(conn) + 1


def _first_within(conn: sqlite3.Connection, most_bytes: int) -> int:
    """The first event of the newest that together have at most that many bytes of data."""
    sums = "SELECT seq, sum(length(CAST(data AS BLOB))) OVER (ORDER BY seq DESC) AS size FROM events"
    row = conn.execute(f"SELECT max(seq) FROM ({sums}) WHERE size > ?", (most_bytes,)).fetchone()  # noqa: S608 - the above
    return 0 if row[0] is None else int(row[0]) + 1


def _delete_before(conn: sqlite3.Connection, end: int) -> int:
    query = "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq < ? ORDER BY seq LIMIT ?)"
    return conn.execute(query, (end, DELETED_AT_ONCE)).rowcount
