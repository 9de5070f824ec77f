"""Reads from the directory other than searches: what a key advertises, and where a peer can be dialled."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import lru_cache

from daemon.clock import Clock
from daemon.discovery.directory import reputation
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.lines import lines_of
from daemon.discovery.directory.statements import Kind, Statement, rank_of, signer_subject
from daemon.store import Store
from musig2.protocol.records.checks import RecordLimits, is_ahead
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.field_rules import SCHEMES
from musig2.protocol.records.records import Advertisement, Node, Notice, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES

ADDRESSES = 16
RECENT_MS = 50
MOST_RECENT = 1_024
BY_PEER = (
    "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
    " WHERE peer = ? AND kind IN (1, 3) AND exp > ? ORDER BY ts DESC LIMIT 16"
)
BY_SUBJECT = (
    "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
    " WHERE subject IN (?, ?) AND kind = 1 AND exp > ?"
)


class DirectoryReads:
    """Reads lines that are in force and undamaged; on any thread."""

    def __init__(self, *, store: Store, clock: Clock, checks: RecordLimits, damage: Damage) -> None:
        self._store = store
        self._clock = clock
        self._checks = checks
        self._damage = damage
        self._recent: dict[bytes, tuple[int, list[Advertisement]]] = {}  # what was found for a key, and until when

    def advertisements_of(self, pubkey: bytes) -> list[Advertisement]:
        """The advertisements of a key in force; more than one only if it is used under both schemes.

        Who has some is looked up again after 50 ms: each request asks for a key's scheme, then for its peers.
        """
        now_ms = self._clock.mono_ms()
        until_ms, found = self._recent.get(pubkey, (now_ms, []))
        if until_ms > now_ms:
            return found
        subjects = (signer_subject(scheme, pubkey) for scheme in SCHEMES)
        found = [record for record in self._records(BY_SUBJECT, *subjects) if isinstance(record, Advertisement)]
        if found:
            if len(self._recent) >= MOST_RECENT:
                self._recent.clear()
            self._recent[pubkey] = (now_ms + RECENT_MS, found)
        return found

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        """The addresses of a peer, from its node record and the advertisements it countersigned; newest first."""
        records = (record for record in self._records(BY_PEER, peer) if isinstance(record, Advertisement | Node))
        addresses = dict.fromkeys(addr for record in records for addr in record.addrs)
        return tuple(addresses)[:ADDRESSES]

    def _records(self, sql: str, *values: bytes) -> list[Record]:
        """The records of lines that are in force and undamaged."""
        params = (*values, self._clock.wall_ms())
        rows = self._store.query(lambda conn: conn.execute(sql, params).fetchall())
        whole = [line for seq, *line in rows if not self._damage.found(seq, line)]
        return [_record_in(line[3]) for line in whole]

    def is_superseded(self, statement: Statement) -> bool:
        """Whether the log holds something newer about the same subject."""
        row = self._store.read(
            lambda conn: conn.execute(
                "SELECT ts, kind, id FROM directory_log WHERE subject = ?", (statement.subject,)
            ).fetchone()
        )
        if row is None or is_ahead(row[0], self._clock.wall_ms(), self._checks):
            return False
        return rank_of(*row) > statement.rank

    def keys_of_peer(self, peer: bytes) -> list[bytes]:
        """The keys that are advertised at a peer."""
        rows = self._store.read(
            lambda conn: conn.execute(
                "SELECT substr(subject, -33) FROM directory_log WHERE peer = ? AND kind = 1 AND exp > ?",
                (peer, self._clock.wall_ms()),
            ).fetchall()
        )
        return [row[0] for row in rows]

    def advertised_at(self, peer: bytes, known: Callable[[sqlite3.Connection, bytes], bool]) -> tuple[bool, int | None]:
        """Whether a `known` key is advertised at a peer, and since when the oldest such line is here (ms)."""

        def look(conn: sqlite3.Connection) -> tuple[bool, int | None]:
            query = "SELECT substr(subject, -33), taken_ms FROM directory_log WHERE peer = ? AND kind = 1 AND exp > ?"
            lines = conn.execute(query, (peer, self._clock.wall_ms())).fetchall()
            return any(known(conn, key) for key, _ in lines), min((ms for _, ms in lines), default=None)

        return self._store.read(look)

    def notices(self) -> list[Signed[Notice]]:
        """All notices in force."""
        rows = self._store.read(
            lambda conn: conn.execute(
                "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log WHERE kind = 4 AND exp > ?",
                (self._clock.wall_ms(),),
            ).fetchall()
        )
        found = []
        for seq, *line in rows:
            if not self._damage.found(seq, line):
                signed = open_envelope(line[3], max_bytes=MAX_ENVELOPE_BYTES)
                if isinstance(signed.record, Notice):
                    found.append(Signed(signed.record, signed.id, signed.envelope))
        return found

    def score_of(self, pubkey: bytes, now_ms: int) -> int | None:
        """The local reputation of a key, 0 to 100; None without evidence."""
        row = self._store.read(
            lambda conn: conn.execute(
                "SELECT good_weight, bad_weight FROM reputation WHERE pubkey = ?", (pubkey,)
            ).fetchone()
        )
        return None if row is None else reputation.score_of(row[0], row[1], now_ms)

    def size(self) -> int:
        """How many advertisements are stored."""
        return self._store.read(lambda conn: lines_of(conn, Kind.ADVERTISEMENT))

    def revision(self) -> int:
        """The number of the newest line: it changes with every new statement."""
        row = self._store.read(lambda conn: conn.execute("SELECT max(seq) FROM directory_log").fetchone())
        return row[0] or 0


@lru_cache(maxsize=512)
def _record_in(envelope: bytes) -> Record:
    """Decoded once for those whose keys sign again and again."""
    return open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES).record


def some_nodes(conn: sqlite3.Connection, now_ms: int, count: int) -> list[bytes]:
    """Envelopes of node records picked at random."""
    rows = conn.execute(
        "SELECT record FROM directory_log WHERE seq IN"
        " (SELECT seq FROM directory_log WHERE kind = 3 AND exp > ? ORDER BY random() LIMIT ?)",
        (now_ms, count),
    )
    return [row[0] for row in rows]
