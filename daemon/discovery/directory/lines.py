"""Lines of the directory log in SQL: append one, remove one, and detect damage."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from daemon.discovery.directory.statements import Kind, Statement
from musig2.protocol.records.records import Advertisement

OPEN_HIGH = 1 << 53
ANY_TYPE = ""


class LineOwner(NamedTuple):
    """What a line counts for in quotas: its kind, the peer that countersigned it, and the address range it claims."""

    kind: Kind
    peer: bytes | None
    net: bytes | None


@dataclass(frozen=True, slots=True)
class Gone:
    """A line that was removed."""

    id: bytes
    exp: int
    holder: LineOwner
    types: tuple[str, ...]  # of an advertisement


def append(conn: sqlite3.Connection, statement: Statement, view: bytes | None, holder: LineOwner, now_ms: int) -> int:
    """Append a line; return its number. An advertisement is found only after `index`."""
    record = statement.record
    kind, ts = statement.kind.value, record.record.ts
    entry = statement.entry.envelope if statement.entry else None
    types = " ".join(record.record.types) if isinstance(record.record, Advertisement) else None
    body = (record.envelope, entry, view)
    line = (kind, statement.subject, record.id, ts, statement.exp, holder.peer, holder.net, *body, types, now_ms)
    seq = conn.execute(
        "INSERT INTO directory_log"
        " (kind, subject, id, ts, exp, peer, net, record, entry, view, types, taken_ms, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*line, checksum(kind, record.id, ts, *body)),
    ).lastrowid
    assert seq is not None
    return seq


def index(conn: sqlite3.Connection, lines: Sequence[tuple[int, Advertisement]]) -> None:
    """Make these advertisements searchable, given with the numbers of their lines."""
    conn.executemany(
        "INSERT INTO signers (type, ts, seq, exp, low, high, scheme, purpose, pubkey)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        sorted(row for seq, advertisement in lines for row in _searched(seq, advertisement)),  # in index order
    )
    where = [(advertisement.ts, seq, advertisement.pubkey) for seq, advertisement in lines]
    conn.executemany("UPDATE reputation SET ts = ?, seq = ? WHERE pubkey = ?", where)


def _searched(seq: int, advertisement: Advertisement) -> list[tuple[object, ...]]:
    purpose = (advertisement.metadata or {}).get("purpose")
    found_by = (
        advertisement.ts,
        seq,
        advertisement.exp,
        advertisement.min or 0,
        OPEN_HIGH if advertisement.max is None else advertisement.max,
        advertisement.scheme,
        purpose.lower() if isinstance(purpose, str) else None,
        advertisement.pubkey,
    )
    return [(name, *found_by) for name in (ANY_TYPE, *advertisement.types)]


def take_out(conn: sqlite3.Connection, seq: int) -> Gone | None:
    """Remove a line; None when it is not there."""
    row = conn.execute(
        "DELETE FROM directory_log WHERE seq = ? RETURNING id, exp, ts, types, kind, peer, net", (seq,)
    ).fetchone()
    if row is None:
        return None
    record_id, exp, ts, types, kind, peer, net = row
    names = tuple(types.split()) if types is not None else ()
    if types is not None:
        keys = [(name, ts, seq) for name in (ANY_TYPE, *names)]
        conn.executemany("DELETE FROM signers WHERE type = ? AND ts = ? AND seq = ?", keys)
    return Gone(record_id, exp, LineOwner(Kind(kind), peer, net), names)


def checksum(  # noqa: PLR0917 - the columns in their order
    kind: int, record_id: bytes, ts: int, record: bytes, entry: bytes | None, view: bytes | None
) -> bytes:
    """8 bytes that reveal accidental damage to a stored line; no protection against somebody who edits the file."""
    line = b"".join((b"%d %d " % (kind, ts), record_id, record, entry or b"", view or b""))
    return hashlib.blake2b(line, digest_size=8).digest()


def lines_of(conn: sqlite3.Connection, kind: Kind, *, unknown: bool = False) -> int:
    """How many lines of a kind the log has; `unknown`: only those that count for no peer."""
    row = conn.execute(
        "SELECT sum(lines) FROM directory_tally WHERE kind = ? AND unknown >= ?", (kind.value, int(unknown))
    ).fetchone()
    return int(row[0])
