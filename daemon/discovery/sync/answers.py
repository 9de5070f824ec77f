"""Answers the questions of the directory protocol, within bounds of size and of what one peer may take."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterable

from daemon.clock import Clock
from daemon.discovery.directory.buckets import Buckets, bucket_span, differing
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.reads import some_nodes
from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.sync.allowance import ByteAllowance
from daemon.discovery.sync.items import opened
from daemon.discovery.sync.turns import PeerTurns
from daemon.store import Store
from musig2.protocol.errors import BadEncoding
from musig2.protocol.wire.sync import (
    SHORT_ID_BYTES,
    Answer,
    Ask,
    Busy,
    Differences,
    FetchIds,
    Greeting,
    Hello,
    LogPage,
    Nodes,
    Peers,
    Push,
    Reconcile,
    ShortIds,
    Since,
    Statements,
    Taken,
    encode_answer,
    open_ask,
)
from p2p.network import BadAsk, Work

MOST_IDS = 16_000
MOST_NODES = 64
LONG = 32 * 1024  # bytes of a question that is decoded in a thread
INLINE = 16  # up to so many buckets or statements are read on the event loop
BUCKET_COST = 512  # a lookup of a bucket costs as much as sending so many bytes
ID_COST = 64  # the same for one statement, present or not


class Answers:
    """The serving side. Belongs to the event loop; long reads run in a thread."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        limits: DiscoveryLimits,
        buckets: Buckets,
        ingest: Ingest,
        damage: Damage,
        log_id: Callable[[], bytes],
        greeted: Callable[[bytes, Hello], None],
        charge: Callable[[bytes, Work, float], None],
    ) -> None:
        """`greeted` is called with what a peer says of its own log; `charge` puts work down to its account."""
        self._store = store
        self._clock = clock
        self._limits = limits
        self._buckets = buckets
        self._ingest = ingest
        self._damage = damage
        self._log_id = log_id
        self._greeted = greeted
        self._charge = charge
        self._turns = PeerTurns()
        self._allowance = ByteAllowance(limits.served_bytes, clock)
        self._pushes = ByteAllowance(limits.pushed, clock)

    async def answer(self, peer: bytes, payload: bytes) -> bytes:
        """The answer to a question of `peer`; raises BadAsk for malformed ones."""
        try:
            ask = open_ask(payload) if len(payload) <= LONG else await asyncio.to_thread(open_ask, payload)
        except BadEncoding as error:
            raise BadAsk(str(error)) from error
        wait_ms = self._allowance.wait_ms(peer)
        answer = Busy(wait_ms) if wait_ms else await self._to(peer, ask)
        data = answer if isinstance(answer, bytes) else encode_answer(answer)
        self._allowance.spend(peer, len(data))
        return data

    async def _to(self, peer: bytes, ask: Ask) -> Answer | bytes:
        match ask:
            case Hello():
                self._greeted(peer, ask)
                return Greeting(self._log_id(), self._store.read(head_of), self._buckets.size, self._clock.wall_ms())
            case Since():
                return await self._slowly(peer, lambda conn: self._since(conn, ask))
            case LogPage():
                return await self._slowly(peer, lambda conn: self._page(conn, ask))
            case Reconcile():
                buckets = differing(self._buckets.sums(ask.bits), ask.sums)
                self._allowance.spend(peer, BUCKET_COST * len(buckets))
                self._charge(peer, Work.BUCKET, len(buckets))
                return await self._read(peer, len(buckets), lambda conn: self._differences(conn, ask.bits, buckets))
            case FetchIds():
                self._allowance.spend(peer, ID_COST * (len(ask.ids) // SHORT_ID_BYTES))
                return await self._read(peer, len(ask.ids) // SHORT_ID_BYTES, lambda conn: self._fetched(conn, ask))
            case Push():
                return await self._pushed(peer, ask)
            case Peers():
                most = min(ask.limit, MOST_NODES)
                return Nodes(tuple(self._store.read(lambda conn: some_nodes(conn, self._clock.wall_ms(), most))))

    async def _read(self, peer: bytes, lookups: int, fn: Callable[[sqlite3.Connection], Answer]) -> Answer | bytes:
        """Read in a thread, or right here if that takes less time than the thread."""
        return self._store.read(fn) if lookups <= INLINE else await self._slowly(peer, fn)

    async def _slowly(self, peer: bytes, fn: Callable[[sqlite3.Connection], Answer]) -> bytes:
        """Read and encoded in a thread."""
        async with self._turns.of(peer):
            return await self._store.read_slow(lambda conn: encode_answer(fn(conn)))

    async def _pushed(self, peer: bytes, ask: Push) -> Answer:
        wait_ms = self._pushes.wait_ms(peer)
        if wait_ms:
            return Busy(wait_ms)
        self._pushes.spend(peer, len(ask.items))
        try:
            records = await opened(ask.items)
        except BadEncoding as error:
            raise BadAsk(str(error)) from error
        await self._ingest.take(records, origin=RecordOrigin.PUSH, peer=peer)
        return Taken(self._ingest.held(records))

    def _since(self, conn: sqlite3.Connection, ask: Since) -> ShortIds:
        limit = min(ask.limit, MOST_IDS)
        rows = conn.execute(
            "SELECT seq, id FROM directory_log WHERE seq > ? AND exp > ? ORDER BY seq LIMIT ?",
            (self._after(ask), self._clock.wall_ms(), limit),
        ).fetchall()
        head = head_of(conn)
        upto = rows[-1][0] if len(rows) == limit else head
        return ShortIds(self._log_id(), head, upto, b"".join(row[1][:SHORT_ID_BYTES] for row in rows))

    def _page(self, conn: sqlite3.Connection, ask: LogPage) -> Statements:
        head = head_of(conn)
        upto, size, items = head, 0, []
        rows = conn.execute(
            "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
            " WHERE seq > ? AND exp > ? ORDER BY seq LIMIT ?",
            (self._after(ask), self._clock.wall_ms(), ask.limit),
        )
        for seq, *line in rows:
            upto = seq
            if self._damage.found(seq, line):
                continue
            items.append((line[3], line[4]))
            size += len(line[3]) + len(line[4] or b"")
            if size >= self._limits.page_bytes:
                break
        else:
            upto = upto if len(items) >= ask.limit else head
        return Statements(self._log_id(), head, upto, tuple(items))

    def _after(self, ask: Since | LogPage) -> int:
        """Where to start: a position in another log means nothing, so begin at the start."""
        return ask.after if ask.log == self._log_id() else 0

    def _differences(self, conn: sqlite3.Connection, bits: int, buckets: list[int]) -> Differences:
        """Starts at a random bucket, so that one that always differs cannot hide those after it."""
        start = random.randrange(len(buckets)) if buckets else 0  # noqa: S311 - nothing secret about it
        found: dict[int, bytes] = {}
        room = MOST_IDS * SHORT_ID_BYTES
        for bucket in buckets[start:] + buckets[:start]:
            rows = conn.execute("SELECT id FROM directory_log WHERE id >= ? AND id <= ?", bucket_span(bucket, bits))
            ids = b"".join(row[0][:SHORT_ID_BYTES] for row in rows)
            if found and len(ids) > room:
                return Differences(tuple(sorted(found.items())), more=True)
            found[bucket] = ids[: MOST_IDS * SHORT_ID_BYTES]
            room -= len(ids)
        return Differences(tuple(sorted(found.items())), more=False)

    def _fetched(self, conn: sqlite3.Connection, ask: FetchIds) -> Statements:
        items, size = [], 0
        for short in _split(ask.ids):
            for seq, *line in conn.execute(
                "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
                " WHERE id >= ? AND id <= ? AND exp > ?",
                (short, short + b"\xff" * 24, self._clock.wall_ms()),
            ):
                if not self._damage.found(seq, line):
                    items.append((line[3], line[4]))
                    size += len(line[3]) + len(line[4] or b"")
            if size >= self._limits.page_bytes:
                break
        return Statements(self._log_id(), head_of(conn), 0, tuple(items))


def head_of(conn: sqlite3.Connection) -> int:
    """The last position that was assigned, even if that line was removed."""
    row = conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'directory_log'").fetchone()
    return int(row[0]) if row else 0


def log_name(event_log_id: str) -> bytes:
    """The id of the directory log (16 bytes), made from that of the event log: a restore changes both."""
    return hashlib.sha256(b"musigd/directory/" + event_log_id.encode()).digest()[:16]


def _split(ids: bytes) -> Iterable[bytes]:
    return (ids[at : at + SHORT_ID_BYTES] for at in range(0, len(ids), SHORT_ID_BYTES))
