"""Searches the directory for a page of signers; a cursor says where the next page begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

from daemon.clock import Clock
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.reputation import reputation_of
from daemon.discovery.directory.search import Query, search
from daemon.discovery.errors import ForeignCursor
from daemon.discovery.intake.views import full_view
from daemon.store import Store
from musig2.protocol.records.checks import RecordLimits
from rpc import answers

LINE = (
    "SELECT l.kind, l.id, l.ts, l.record, l.entry, l.view, l.checksum, s.pubkey,"
    " r.completed, r.failed, r.aborted, r.good_weight, r.bad_weight, r.response_ms"
    " FROM directory_log l JOIN signers s ON s.type = '' AND s.ts = l.ts AND s.seq = l.seq"
    " LEFT JOIN reputation r ON r.pubkey = s.pubkey WHERE l.seq = ?"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of signers as views, and where the next one begins."""

    signers: list[answers.Advertisement]
    next_cursor: str | None


class SignerSearch:
    """Belongs to the event loop."""

    def __init__(self, *, store: Store, clock: Clock, checks: RecordLimits, damage: Damage) -> None:
        self._store = store
        self._clock = clock
        self._checks = checks
        self._damage = damage

    def find(self, query: Query, *, limit: int, own: Collection[bytes], include_own: bool) -> Found:
        """Up to `limit` matching signers, newest first. `own` are the keys of this daemon."""
        hidden: Collection[bytes] = () if include_own else own

        def read(conn: sqlite3.Connection) -> Found:
            views: list[answers.Advertisement] = []
            last: tuple[int, int] | None = None
            now_ms = self._clock.wall_ms()
            for ts, seq in search(conn, query, now_ms, now_ms + self._checks.skew_ms):
                row = conn.execute(LINE, (seq,)).fetchone()
                if row is None or row[7] in hidden or self._damage.found(seq, row[:7]):
                    continue
                if len(views) == limit:
                    return Found(views, cursor_text(last))
                reputation = reputation_of(row[8:], now_ms)
                views.append(full_view(row[5], row[3], own=row[7] in own, reputation=reputation))
                last = (ts, seq)
            return Found(views, None)

        return self._store.read(read)


def cursor_text(position: tuple[int, int] | None) -> str | None:
    """A position in the list of signers as a cursor for clients."""
    return None if position is None else f"{position[0]}.{position[1]}"


def cursor_of(text: str | None) -> tuple[int, int] | None:
    """The position in a cursor from a client. Raises ForeignCursor for anything else."""
    if text is None:
        return None
    ts, dot, seq = text.partition(".")
    if not (dot and ts.isascii() and ts.isdigit() and seq.isascii() and seq.isdigit() and len(text) < 40):
        raise ForeignCursor
    place = int(ts), int(seq)
    if max(place) >= 2**63:
        raise ForeignCursor
    return place
