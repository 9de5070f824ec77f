"""Synchronises with one peer: fetches what it has and we lack.

    hello ----> its log, its last position, its size
      a cursor close to its end      -> short ids from the cursor on, then only what is missing
      we have nothing, or much less  -> pages of whole statements, from the cursor on
      otherwise, and now and then    -> bucket digests, the short ids where they differ, then only what is missing

Whatever the peer says, each statement is verified like any other. So a peer can withhold statements, which then come
from other peers, and waste time and bytes, for which every conversation has a budget.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from daemon.clock import Clock
from daemon.discovery.directory.buckets import COARSE_BITS, FINE_BITS, FINE_FROM, Buckets, bucket_of, bucket_span
from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryNetwork, Offend
from daemon.discovery.sync.answers import head_of
from daemon.discovery.sync.conversation import Conversation, End, Report, Stop
from daemon.discovery.sync.cursors import Cursor, Cursors
from daemon.discovery.sync.items import opened
from daemon.discovery.unhurried import Unhurried
from daemon.store import Store
from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import (
    MAX_FETCH,
    SHORT_ID_BYTES,
    Differences,
    FetchIds,
    Greeting,
    Hello,
    LogPage,
    Nodes,
    Peers,
    Reconcile,
    ShortIds,
    Since,
    Statements,
)
from musig2.protocol.wire.sync import Statement as Item

T = TypeVar("T")
CLOSE = 4_000  # positions; up to so many short ids cost no more than digests and their answer
MANY_IDS = 4_000
MANY_STATEMENTS = 1_000
IDS_FOR_A_STATEMENT = 8  # ids looked up in the time that one statement takes
EMPTY_PAGES = 16
RECONCILE_ROUNDS = 64
NODES_ASKED = 32
OF_BUCKET = f"SELECT substr(id, 1, {SHORT_ID_BYTES}) FROM directory_log WHERE id >= ? AND id <= ?"  # noqa: S608 - a constant


class Puller:
    """Pulls from peers; belongs to the event loop. Run one pull per peer at a time."""

    def __init__(
        self,
        *,
        store: Store,
        net: DirectoryNetwork,
        clock: Clock,
        limits: DiscoveryLimits,
        buckets: Buckets,
        ingest: Ingest,
        unhurried: Unhurried,
        offend: Offend,
        log_id: Callable[[], bytes],
        node: Callable[[], bytes | None],
        heard_time: Callable[[bytes, int], None],
    ) -> None:
        """`node` gives the envelope of the own node record; `heard_time` is called with the time of a peer's clock."""
        self._heard_time = heard_time
        self._store = store
        self._net = net
        self._clock = clock
        self._limits = limits
        self._buckets = buckets
        self._ingest = ingest
        self._offend = offend
        self._log_id = log_id
        self._node = node
        self._cursors = Cursors(store=store, clock=clock)
        self._unhurried = unhurried

    async def pull(self, peer: bytes, *, compare: bool = False) -> Report:
        """Fetch what `peer` has; never raises. `compare` asks for digests even if the cursor is at the end."""
        talk = Conversation(peer=peer, net=self._net, clock=self._clock, limits=self._limits, offend=self._offend)
        try:
            await self._pull(talk, compare)
        except Stop as stop:
            talk.report.end = stop.end
        return talk.report

    async def flush(self) -> None:
        """Store the cursors that are not stored yet."""
        await self._cursors.flush()

    async def greet(self, peer: bytes) -> bool:
        """Say hello; True if the peer has something that was not read yet. Never raises."""
        talk = Conversation(peer=peer, net=self._net, clock=self._clock, limits=self._limits, offend=self._offend)
        try:
            theirs = await self._say_hello(talk)
        except Stop:
            return False
        return self._cursors.of(peer) != Cursor(theirs.log, theirs.head)

    async def fetch(self, peer: bytes, ids: list[bytes]) -> Report:
        """Fetch the statements with these ids that `peer` has; never raises."""
        talk = Conversation(peer=peer, net=self._net, clock=self._clock, limits=self._limits, offend=self._offend)
        try:
            await self._fetch(talk, [record_id[:SHORT_ID_BYTES] for record_id in ids])
        except Stop as stop:
            talk.report.end = stop.end
        return talk.report

    async def exchange(self, peer: bytes) -> None:
        """Ask a peer for the nodes it knows and store their records; never raises."""
        talk = Conversation(peer=peer, net=self._net, clock=self._clock, limits=self._limits, offend=self._offend)
        try:
            answer = await talk.ask(Peers(NODES_ASKED), Nodes)
            await self._take(talk, tuple((envelope, None) for envelope in answer.envelopes))
        except Stop:
            return

    def is_behind(self, peer: bytes, hello: Hello) -> bool:
        """Whether the hello of a peer shows something that was not read yet."""
        return self._cursors.of(peer) != Cursor(hello.log, hello.head)

    async def _pull(self, talk: Conversation, compare: bool) -> None:
        theirs = await self._say_hello(talk)
        cursor = self._cursors.of(talk.peer)
        after = cursor.position if cursor and cursor.log == theirs.log and cursor.position <= theirs.head else 0
        if compare:
            await self._reconcile(talk, theirs.size)
        elif after and theirs.head - after <= CLOSE:
            await self._read_since(talk, theirs, after)
        elif self._buckets.size < theirs.size // 2:
            await self._read_pages(talk, theirs, after)
        else:
            await self._reconcile(talk, theirs.size)
        self._cursors.note(talk.peer, Cursor(theirs.log, theirs.head))

    async def _say_hello(self, talk: Conversation) -> Greeting:
        theirs = await talk.ask(self._hello(), Greeting)
        self._heard_time(talk.peer, theirs.now_ms)
        return theirs

    def _hello(self) -> Hello:
        return Hello(self._log_id(), self._store.read(head_of), self._buckets.size, self._node())

    async def _read_pages(self, talk: Conversation, theirs: Greeting, after: int) -> None:
        """The next page is fetched while this one is verified. The position is kept, however it ends."""
        try:
            await self._read_each_page(talk, theirs, after)
        except Stop:
            if talk.position:
                self._cursors.note(talk.peer, Cursor(theirs.log, talk.position))
            raise

    async def _read_each_page(self, talk: Conversation, theirs: Greeting, after: int) -> None:
        empty = 0
        page = await talk.ask(LogPage(theirs.log, after, MANY_STATEMENTS), Statements)
        while True:
            if page.upto < after or (page.upto == after and page.items):
                raise talk.rubbish()
            ended = page.upto >= page.head or page.log != theirs.log or page.upto == after
            coming = None if ended else talk.ask(LogPage(theirs.log, page.upto, MANY_STATEMENTS), Statements)
            following = asyncio.ensure_future(coming) if coming is not None else None
            try:
                await self._take(talk, page.items)
            except BaseException:
                if following is not None:
                    following.cancel()
                raise
            talk.position = page.upto
            if following is None:
                return
            empty += not page.items
            if empty > EMPTY_PAGES:
                raise Stop(End.BUDGET)
            after, page = page.upto, await following

    async def _read_since(self, talk: Conversation, theirs: Greeting, after: int) -> None:
        while after < theirs.head:
            answer = await talk.ask(Since(theirs.log, after, MANY_IDS), ShortIds)
            if answer.upto <= after or len(answer.ids) > MANY_IDS * SHORT_ID_BYTES:
                raise talk.rubbish()
            shorts = list(dict.fromkeys(_split(answer.ids)))
            await self._fetch(talk, await self._in_turns(talk, shorts, self._missing, IDS_FOR_A_STATEMENT))
            after = answer.upto

    async def _reconcile(self, talk: Conversation, their_size: int) -> None:
        bits = max(self._buckets.bits, FINE_BITS if their_size > FINE_FROM else COARSE_BITS)
        for _ in range(RECONCILE_ROUNDS):
            answer = await talk.ask(Reconcile(bits, self._buckets.sums(bits)), Differences)
            missing = await self._in_turns(talk, answer.items, lambda some: self._missing_of(talk, some, bits))
            stored = await self._fetch(talk, missing)
            if not answer.more or not stored:
                return

    async def _fetch(self, talk: Conversation, wanted: list[bytes]) -> int:
        """Ask for statements until all arrived or an answer brings none; returns how many were stored."""
        stored = 0
        left = dict.fromkeys(wanted)
        while left:
            some = list(left)[:MAX_FETCH]
            answer = await talk.ask(FetchIds(b"".join(some)), Statements)
            taken, came = await self._take(talk, answer.items)
            stored += taken
            for short in came.intersection(left) or some:  # what it turned out to lack is not asked for again
                left.pop(short, None)
        return stored

    async def _in_turns(
        self, talk: Conversation, items: Sequence[T], find: Callable[[Sequence[T]], list[bytes]], weight: int = 1
    ) -> list[bytes]:
        """What `find` finds, in pieces; so many items are as much work as one statement."""
        found: list[bytes] = []
        while items:
            async with self._turn(talk) as most:
                found += find(items[: weight * most])
                items = items[weight * most :]
        return found

    @asynccontextmanager
    async def _turn(self, talk: Conversation) -> AsyncIterator[int]:
        asked_ms = self._clock.mono_ms()
        async with self._unhurried.turn() as most:
            talk.waited(self._clock.mono_ms() - asked_ms)
            yield most

    def _missing(self, shorts: Sequence[bytes]) -> list[bytes]:
        wanted = [short for short in shorts if not self._ingest.refused_before(short)]
        return self._store.read(lambda conn: [short for short in wanted if not _has(conn, short)])

    def _missing_of(self, talk: Conversation, buckets: Sequence[tuple[int, bytes]], bits: int) -> list[bytes]:
        """The ids that the peer has in these buckets and we lack; a bucket is read in one go."""
        if not _in_their_buckets(buckets, bits):
            raise talk.rubbish()

        def read(conn: sqlite3.Connection) -> list[bytes]:
            missing: dict[bytes, None] = {}
            for bucket, ids in buckets:
                here = conn.execute(OF_BUCKET, bucket_span(bucket, bits))
                missing.update(dict.fromkeys(sorted(set(_split(ids)).difference(row[0] for row in here))))
            return list(missing)

        return [short for short in self._store.read(read) if not self._ingest.refused_before(short)]

    async def _take(self, talk: Conversation, items: tuple[Item, ...]) -> tuple[int, set[bytes]]:
        """Verify and store statements, in pieces.

        Returns how many were stored, and the short ids of all records.
        """
        stored, came = 0, set[bytes]()
        while items:
            async with self._turn(talk) as most:
                some, items = items[:most], items[most:]
                records = await self._open(talk, some)
                stored += await self._store_all(talk, records, len(some))
            came.update(signed.id[:SHORT_ID_BYTES] for signed in records)
        return stored, came

    async def _open(self, talk: Conversation, items: tuple[Item, ...]) -> list[Signed[Record]]:
        try:
            return await opened(items)
        except BadEncoding as error:
            raise talk.rubbish() from error

    async def _store_all(self, talk: Conversation, records: list[Signed[Record]], items: int) -> int:
        intake = await self._ingest.take(records, origin=RecordOrigin.SYNC, peer=talk.peer)
        talk.report.stored += intake.stored
        if intake.forged:
            raise Stop(End.RUBBISH)
        talk.wasted(items - intake.stored)
        return intake.stored


def _in_their_buckets(buckets: Sequence[tuple[int, bytes]], bits: int) -> bool:
    return all(bucket_of(short, bits) == bucket for bucket, ids in buckets for short in _split(ids))


def _has(conn: sqlite3.Connection, short: bytes) -> bool:
    span = (short, short + b"\xff" * (32 - SHORT_ID_BYTES))
    return conn.execute("SELECT 1 FROM directory_log WHERE id >= ? AND id <= ?", span).fetchone() is not None


def _split(ids: bytes) -> list[bytes]:
    return [ids[at : at + SHORT_ID_BYTES] for at in range(0, len(ids), SHORT_ID_BYTES)]
