"""findAvailableSigners and the other readings of the directory."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from daemon.clock import Clock
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.lines import lines_of
from daemon.discovery.directory.reputation import reputation_of
from daemon.discovery.directory.search import Query, search
from daemon.discovery.directory.statements import Kind, Statement, rank_of, signer_subject
from daemon.discovery.intake.views import full_view
from daemon.store import Store
from musig2.protocol.records.checks import RecordLimits, is_ahead
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.field_rules import SCHEMES
from musig2.protocol.records.records import Advertisement, Node, Notice, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES
from rpc.errors import invalid_param

LINE = (
    "SELECT l.kind, l.id, l.ts, l.record, l.entry, l.view, l.checksum, s.pubkey,"
    " r.completed, r.failed, r.aborted, r.good_weight, r.bad_weight, r.response_ms"
    " FROM directory_log l JOIN signers s ON s.type = '' AND s.ts = l.ts AND s.seq = l.seq"
    " LEFT JOIN reputation r ON r.pubkey = s.pubkey WHERE l.seq = ?"
)
ADDRESSES = 16
BY_PEER = (
    "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
    " WHERE peer = ? AND kind IN (1, 3) AND exp > ? ORDER BY ts DESC LIMIT 16"
)
BY_SUBJECT = (
    "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log"
    " WHERE subject IN (?, ?) AND kind = 1 AND exp > ?"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of signers as views, and where the next one begins."""

    signers: tuple[dict[str, Any], ...]
    next_cursor: str | None


class DirectoryQueries:
    """Reads; belongs to the event loop."""

    def __init__(self, *, store: Store, clock: Clock, checks: RecordLimits, damage: Damage) -> None:
        self._store = store
        self._clock = clock
        self._checks = checks
        self._damage = damage

    def find(self, query: Query, *, limit: int, own: Collection[bytes], include_own: bool) -> Found:
        """Up to `limit` matching signers, newest first. `own` are the keys of this daemon."""
        hidden: Collection[bytes] = () if include_own else own

        def read(conn: sqlite3.Connection) -> Found:
            views: list[dict[str, Any]] = []
            last: tuple[int, int] | None = None
            now_ms = self._clock.wall_ms()
            for ts, seq in search(conn, query, now_ms, now_ms + self._checks.skew_ms):
                row = conn.execute(LINE, (seq,)).fetchone()
                if row is None or row[7] in hidden or self._damage.found(seq, row[:7]):
                    continue
                if len(views) == limit:
                    return Found(tuple(views), cursor_text(last))
                reputation = reputation_of(row[8:], now_ms)
                views.append(full_view(row[5], row[3], own=row[7] in own, reputation=reputation))
                last = (ts, seq)
            return Found(tuple(views), None)

        return self._store.read(read)

    def advertisements_of(self, pubkey: bytes) -> list[Advertisement]:
        """What a key says of itself, in force; more than one only if it is used under both schemes."""
        subjects = (signer_subject(scheme, pubkey) for scheme in SCHEMES)
        return [record for record in self._records(BY_SUBJECT, *subjects) if isinstance(record, Advertisement)]

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        """Where a peer says that it can be dialled, in its node record and what it countersigned; newest first."""
        records = (record for record in self._records(BY_PEER, peer) if isinstance(record, Advertisement | Node))
        addresses = dict.fromkeys(addr for record in records for addr in record.addrs)
        return tuple(addresses)[:ADDRESSES]

    def _records(self, sql: str, *values: bytes) -> list[Record]:
        """The records of lines that are in force and whole."""
        params = (*values, self._clock.wall_ms())
        rows = self._store.read(lambda conn: conn.execute(sql, params).fetchall())
        whole = [line for seq, *line in rows if not self._damage.found(seq, line)]
        return [open_envelope(line[3], max_bytes=MAX_ENVELOPE_BYTES).record for line in whole]

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

    def size(self) -> int:
        """How many advertisements are stored."""
        return self._store.read(lambda conn: lines_of(conn, Kind.ADVERTISEMENT))


def cursor_text(position: tuple[int, int] | None) -> str | None:
    """A place in the order of signers, for clients to hand back."""
    return None if position is None else f"{position[0]}.{position[1]}"


def cursor_of(text: str | None) -> tuple[int, int] | None:
    """The place that a client handed back; ApiError for anything else."""
    if text is None:
        return None
    ts, dot, seq = text.partition(".")
    if not (dot and ts.isascii() and ts.isdigit() and seq.isascii() and seq.isdigit() and len(text) < 40):
        raise invalid_param("cursor", "was not made here; leave it out to begin with the newest")
    place = int(ts), int(seq)
    if max(place) >= 2**63:
        raise invalid_param("cursor", "was not made here; leave it out to begin with the newest")
    return place
