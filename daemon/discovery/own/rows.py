"""The stored state of own advertisements: the terms as the owner gave them, and the latest record."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Advertisement, Record, Withdrawal
from musig2.protocol.wire.frames import Signed
from rpc.answers import ShownCriteria

OWN_BYTES = 1 << 20  # own records were made here, perhaps under other limits


@dataclass(frozen=True, slots=True)
class AdvertisedTerms:
    """What a key is offered for; JSON-ready, camelCase as in the API."""

    criteria: ShownCriteria
    metadata: Mapping[str, object]
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class OwnRow:
    """The state of one own key. `last_ts`: the highest timestamp ever signed for it, across withdrawals too.

    It is above that of `record` if the clock was set back.
    """

    pubkey: bytes
    scheme: str
    terms: AdvertisedTerms
    last_ts: int
    exp: int
    record: Signed[Record]  # the latest advertisement, or the withdrawal
    withdrawn: bool
    warned: bool = False

    @property
    def ts(self) -> int:
        """The timestamp of the latest record."""
        record = self.record.record
        assert isinstance(record, Advertisement | Withdrawal)
        return record.ts

    @property
    def types(self) -> tuple[str, ...]:
        """The transaction types that are advertised, or were before the withdrawal."""
        return tuple(self.terms.criteria["transactionTypes"])

    @property
    def advertisement(self) -> Signed[Advertisement] | None:
        """The latest one; None after a withdrawal."""
        record = self.record.record
        return Signed(record, self.record.id, self.record.envelope) if isinstance(record, Advertisement) else None


def load(conn: sqlite3.Connection, above_ms: int = -1) -> dict[bytes, OwnRow]:
    """Rows by key, of those for which a timestamp above `above_ms` was signed."""
    rows = conn.execute(
        "SELECT pubkey, scheme, criteria, metadata, ttl_ms, last_ts, exp, record, withdrawn, warned"
        " FROM own_advertisements WHERE last_ts > ?",
        (above_ms,),
    )
    return {row[0]: _row(row) for row in rows}


def _row(row: tuple[Any, ...]) -> OwnRow:
    pubkey, scheme, criteria, metadata, ttl_ms, last_ts, exp, record, withdrawn, warned = row
    terms = AdvertisedTerms(orjson.loads(criteria), orjson.loads(metadata), ttl_ms)
    signed = open_envelope(record, max_bytes=OWN_BYTES)
    return OwnRow(pubkey, scheme, terms, last_ts, exp, signed, bool(withdrawn), bool(warned))


def is_advertised(conn: sqlite3.Connection, pubkey: bytes) -> bool:
    """Whether the key has an advertisement that was not withdrawn; an expired one is renewed."""
    query = "SELECT 1 FROM own_advertisements WHERE pubkey = ? AND withdrawn = 0"
    return conn.execute(query, (pubkey,)).fetchone() is not None


def save(conn: sqlite3.Connection, row: OwnRow) -> None:
    """Insert or replace a row."""
    conn.execute(
        "INSERT OR REPLACE INTO own_advertisements"
        " (pubkey, scheme, criteria, metadata, ttl_ms, last_ts, exp, record, withdrawn, warned)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.pubkey,
            row.scheme,
            orjson.dumps(row.terms.criteria).decode(),
            orjson.dumps(row.terms.metadata).decode(),
            row.terms.ttl_ms,
            row.last_ts,
            row.exp,
            row.record.envelope,
            int(row.withdrawn),
            int(row.warned),
        ),
    )
