"""The stored log: each line is written in the transaction of what it records, so neither exists without the other.

The writer's connection remembers where the chain ends, so that nothing is read before a line is written, and the lines
of one write function are inserted together at its end. The number of the newest line, which SQLite keeps apart
(AUTOINCREMENT), shows that lines at the end are missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from daemon.audit.chain import GENESIS, Anchor, ChainBroken, ChainLine, follow, next_line
from daemon.clock import WallClock
from daemon.store.connection import WritingConnection
from daemon.store.inserts import insert_rows

# The recorded events, with the recorded members of their data. Of signer:* only those of own keys.
RECORDED: Final[Mapping[str, tuple[str, ...]]] = {
    "signer:advertised": (),
    "signer:withdrawn": (),
    "signing-request:created": (),
    "signing-request:joined": ("publicKey",),
    "signing-request:declined": ("publicKey", "reason"),
    "signing-request:cancelled": ("publicKey", "reason"),
    "approval:needed": ("publicKey", "needed"),
    "approval:given": ("publicKey", "label", "given", "needed"),
    "policy:reloaded": ("active", "rules", "policy"),
    "signature:finalized": ("signatures",),
    "session:aborted": ("reason",),
    "session:broadcast-confirmed": ("publicKey", "txid"),
    "peer:banned": ("peerId", "until", "reason"),
    "peer:unbanned": ("peerId",),
    "key:created": ("publicKey", "scheme", "label", "imported"),
    "key:paused": ("publicKey", "reason"),
    "key:resumed": ("publicKey",),
    "key:deleted": ("publicKey",),
    "node:locked": (),
    "node:unlocked": ("until",),
    "node:passphrase-changed": (),
    "token:created": ("tokenId", "scopes", "keys", "createKey", "label", "expiresAt"),
    "token:revoked": ("tokenId", "reason"),
}
_OF_OWN_KEYS: Final = frozenset({"signer:advertised", "signer:withdrawn"})
# What anybody causes who asks an own key: at most so many lines a minute, and the next says how many there were not.
BY_STRANGERS: Final = frozenset({"approval:needed", "signing-request:declined"})
BY_STRANGERS_PER_MINUTE: Final = 60
_IDS: Final = ("publicKeys", "requestId", "sessionId", "attempt")
_MEMBERS: Final = {name: (*members, *_IDS) for name, members in RECORDED.items()}
AT_ONCE: Final = 1_000
_LOST: Final = bytes(32)  # stands for the hash of a last line that was taken away: the chain shows a gap there for good


class AuditLog:
    """Appends lines inside write functions."""

    def __init__(self, clock: WallClock) -> None:
        self._clock = clock
        self._minute, self._in_minute, self._left_out = 0, 0, 0

    def append(self, conn: sqlite3.Connection, what: str, facts: Mapping[str, Any]) -> None:
        """Record something. `facts` are JSON with camelCase names, and hold no secret."""
        self.append_all(conn, [(what, facts)])

    def append_all(self, conn: sqlite3.Connection, recorded: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Record several things, in this order: pairs of `what` and `facts`."""
        now_ms = self._clock.wall_ms()
        kept = []
        for what, facts in recorded:
            bounded = self._bounded(facts, now_ms) if what in BY_STRANGERS else facts
            if bounded is not None:
                kept.append((what, bounded))
        if not kept:
            return
        tail = _tail_of(conn)
        for what, facts in kept:
            tail.add(now_ms, {"what": what, **facts})
        if not isinstance(conn, WritingConnection):
            tail.insert(conn)

    def _bounded(self, facts: Mapping[str, Any], now_ms: int) -> Mapping[str, Any] | None:
        """The facts to record; None if there were enough of their kind within this minute."""
        minute = now_ms // 60_000
        if minute != self._minute:
            self._minute, self._in_minute = minute, 0
        self._in_minute += 1
        if self._in_minute > BY_STRANGERS_PER_MINUTE:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        return {**facts, "linesNotRecorded": left_out} if left_out else facts


class _Tail:
    """Where the chain ends, and the newest lines, which are not inserted yet."""

    def __init__(self, end: Anchor) -> None:
        self._end = end
        self.lines: list[tuple[int, int, str, bytes]] = []

    def add(self, now_ms: int, facts: Mapping[str, Any]) -> None:
        """One more line."""
        line = next_line(self._end, now_ms, facts)
        self.lines.append((line.seq, now_ms, line.body, line.hash))
        self._end = line.link

    def insert(self, conn: sqlite3.Connection) -> None:
        """Insert them, with one statement."""
        insert_rows(conn, "INSERT INTO audit_lines (seq, time, body, hash)", self.lines)
        self.lines.clear()


def _tail_of(conn: sqlite3.Connection) -> _Tail:
    """To be inserted at the end of the write function under way, or at once where there is none."""
    if not isinstance(conn, WritingConnection):
        return _Tail(end_of(conn))
    tail: _Tail | None = conn.remembered.get("audit")
    if tail is None:
        tail = conn.remembered["audit"] = _Tail(end_of(conn))
    if not tail.lines:
        conn.at_end.append(tail.insert)
    return tail


def recorded_of(name: str, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What goes on record of an event with these data; None where nothing does."""
    members = _MEMBERS.get(name)
    if members is None or (name in _OF_OWN_KEYS and "publicKeys" not in data):
        return None
    return {member: data[member] for member in members if member in data}


def start_of(conn: sqlite3.Connection) -> Anchor:
    """The position before the oldest line that is kept."""
    return Anchor(*conn.execute("SELECT first_seq, first_hash FROM audit_start").fetchone())


def end_of(conn: sqlite3.Connection) -> Anchor:
    """The position after the newest line: an anchor, to be kept elsewhere."""
    newest = (
        "SELECT numbers.seq, line.hash FROM sqlite_sequence numbers LEFT JOIN audit_lines line"
        " ON line.seq = numbers.seq WHERE numbers.name = 'audit_lines'"
    )
    last, found = conn.execute(newest).fetchone()
    if found is not None:
        return Anchor(last, found)
    start = start_of(conn)
    return start if start.seq == last else Anchor(last, _LOST)


def lines_after(conn: sqlite3.Connection, seq: int, limit: int = -1) -> Iterator[ChainLine]:
    """The lines above that seq, oldest first."""
    rows = conn.execute(
        "SELECT seq, time, body, hash FROM audit_lines WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
    )
    return (ChainLine(*row) for row in rows)


def latest_policy(conn: sqlite3.Connection) -> str:
    """The digest of the policy that the newest line about one names; "" if there is none."""
    row = conn.execute(
        'SELECT body FROM audit_lines WHERE body LIKE \'%"policy":"%\' OR body LIKE \'%"what":"policy:reloaded"%\''
        " ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    told = {} if row is None else orjson.loads(row[0])
    if told.get("policy") == "none":
        return ""
    return str(told.get("policy", "unknown digest" if told.get("active") else ""))


def verify(conn: sqlite3.Connection) -> Anchor:
    """Verify the stored lines; returns the position after the newest. Raises ChainBroken."""
    start, end = start_of(conn), end_of(conn)
    if start.seq == 0 and start != GENESIS:
        raise ChainBroken("the log does not begin where every log begins")
    reached = follow(lines_after(conn, -1), start)
    if reached != end:
        raise ChainBroken(f"the last seq is {reached.seq}, not {end.seq}: lines were removed or added")
    return reached


def forget_before(conn: sqlite3.Connection, cutoff_ms: int) -> int:
    """Remove lines older than that, oldest first, at most `AT_ONCE`; the others are still verified from there on."""
    gone: ChainLine | None = None
    for line in lines_after(conn, start_of(conn).seq, AT_ONCE):
        if line.time >= cutoff_ms:
            break
        gone = line
    if gone is None:
        return 0
    removed = conn.execute("DELETE FROM audit_lines WHERE seq <= ?", (gone.seq,)).rowcount
    conn.execute("UPDATE audit_start SET first_seq = ?, first_hash = ?", (gone.seq, gone.hash))
    return removed
