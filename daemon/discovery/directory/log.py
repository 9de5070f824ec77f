"""One write to the directory: which statements enter the log, which leave it.

Signatures were checked before. The rule which of two statements is newer, the quotas and the room are applied here,
because only the writer sees what is stored at that moment.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from daemon.discovery.directory.eviction import neighbour, victims
from daemon.discovery.directory.lines import Gone, LineOwner, append, index, take_out
from daemon.discovery.directory.quotas import Quotas, portions
from daemon.discovery.directory.statements import Kind, Statement, rank_of
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import Partners
from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records.checks import is_ahead
from musig2.protocol.records.records import Advertisement, Withdrawal


class LogOutcome(StrEnum):
    """What became of a statement."""

    NEW = "new"
    RENEWED = "renewed"  # it replaced an older one of the same subject and kind
    KNOWN = "known"
    OLDER = "older"
    QUOTA = "quota"  # its peer or its address range has enough

    __hash__ = str.__hash__  # that of an Enum is a call of Python

    @property
    def stored(self) -> bool:
        """True when it is in the log now and was not before."""
        return self in (LogOutcome.NEW, LogOutcome.RENEWED)


@made_quickly
@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked statement on its way into the log. `view` is the JSON for clients, None unless an advertisement."""

    statement: Statement
    net: bytes | None = None
    view: bytes | None = None
    kept: bool = False  # own: no quota
    direct: bool = False  # brought by the very peer it counts for


@made_quickly
@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of one candidate, and the line of the same subject that it replaced."""

    outcome: LogOutcome
    replaced: Gone | None = None


@dataclass(slots=True)
class LogChanges:
    """What a write did, for the digests; void if the write is rolled back."""

    added: list[tuple[bytes, int]] = field(default_factory=list)  # id, exp
    gone: list[tuple[bytes, int]] = field(default_factory=list)  # id, exp


Line: TypeAlias = tuple[Any, ...]  # seq, id, ts, kind, peer, net

CURRENT = "SELECT seq, id, ts, kind, peer, net, subject FROM directory_log"


@dataclass(frozen=True, slots=True)
class DirectoryLog:
    """The limits of the log, and which keys must not be evicted from it."""

    limits: DiscoveryLimits
    partners: Partners = lambda conn: ()

    def write(self, conn: sqlite3.Connection, now_ms: int) -> LogWrite:
        """Begin the changes of one transaction, inside it."""
        return LogWrite(conn, self.limits, now_ms, self.partners)

    def admit(self, conn: sqlite3.Connection, candidates: Sequence[Candidate], now_ms: int) -> LogChanges:
        """Add candidates to the log, in order, in one write."""
        write = self.write(conn, now_ms)
        write.expect(candidates)
        for candidate in candidates:
            write.admit(candidate)
        return write.close()

    def prune(self, conn: sqlite3.Connection, now_ms: int, at_most: int = 2_000) -> LogChanges:
        """Remove what expired longer ago than the grace time."""
        write = self.write(conn, now_ms)
        rows = conn.execute(
            "SELECT seq FROM directory_log WHERE exp <= ? LIMIT ?", (now_ms - self.limits.grace_ms, at_most)
        ).fetchall()
        write.drop(row[0] for row in rows)
        return write.close()


class LogWrite:
    """The changes of one transaction; `close` must be called before it ends."""

    def __init__(self, conn: sqlite3.Connection, limits: DiscoveryLimits, now_ms: int, partners: Partners) -> None:
        self._conn = conn
        self._partners = partners
        self._spared: Collection[bytes] | None = None
        self._limits = limits
        self._now_ms = now_ms
        self._quotas = Quotas(conn, limits)
        self._tally: Counter[tuple[Kind, bool]] = Counter()
        self._current: dict[bytes, Line | None] = {}  # by subject, as long as this write has not changed it
        self._appended: list[tuple[int, Advertisement]] = []  # lines that are not searchable yet
        self.changes = LogChanges()

    def expect(self, candidates: Sequence[Candidate]) -> None:
        """Read in one query what admitting these would read one by one; only for speed."""
        self._current = dict.fromkeys(candidate.statement.subject for candidate in candidates)
        subjects = list(self._current)
        for some in portions(subjects):
            marks = ", ".join("?" * len(some))
            rows = self._conn.execute(f"{CURRENT} WHERE subject IN ({marks})", some)
            self._current.update((row[6], row[:6]) for row in rows)
        holders = [_holder(candidate.statement, candidate.net, None) for candidate in candidates]
        self._quotas.expect([holder for holder in holders if holder.kind is Kind.ADVERTISEMENT])

    def drop(self, seqs: Iterable[int]) -> list[Gone]:
        """Remove lines; returns those that were there."""
        leaving = list(seqs)
        if self._appended and max(leaving, default=0) >= self._appended[0][0]:
            self._index_appended()
        taken = [gone for gone in (take_out(self._conn, seq) for seq in leaving) if gone is not None]
        for gone in taken:
            self._left(gone)
        return taken

    def close(self) -> LogChanges:
        """Write what is pending, evict if there are too many lines, and return what was done."""
        self._index_appended()
        self._write_tally()
        self.drop(victims(self._conn, self._limits, self._spared_keys))
        self._write_tally()
        return self.changes

    def admit(self, candidate: Candidate) -> Admitted:
        """Add a candidate if it is newer than what is stored and there is room for it."""
        statement = candidate.statement
        current = self._line_of(statement.subject)
        if current is None:
            return self._append(candidate, None, None)
        seq, record_id, ts, kind, peer, net = current
        if record_id == statement.record.id:
            return Admitted(LogOutcome.KNOWN)
        if rank_of(ts, kind, record_id) > statement.rank and not self._is_ahead(ts):
            return Admitted(LogOutcome.OLDER)
        return self._append(candidate, LineOwner(Kind(kind), peer, net), seq)

    def _is_ahead(self, ts: int) -> bool:
        return is_ahead(ts, self._now_ms, self._limits.checks)

    def _line_of(self, subject: bytes) -> Line | None:
        """The current line of a subject; the value read by `expect` holds until this write changes it."""
        if subject in self._current:
            return self._current.pop(subject)
        row: Line | None = self._conn.execute(f"{CURRENT} WHERE subject = ?", (subject,)).fetchone()
        return row and row[:6]

    def _index_appended(self) -> None:
        if self._appended:
            index(self._conn, self._appended)
            self._appended.clear()

    def _append(self, candidate: Candidate, held: LineOwner | None, held_seq: int | None) -> Admitted:
        statement = candidate.statement
        holder = _holder(statement, candidate.net, held)
        refusal = None if self._is_kept(candidate) else self._quotas.refusal(holder, held)
        if refusal is not None and not (refusal == "range" and self._makes_room(holder, direct=candidate.direct)):
            return Admitted(LogOutcome.QUOTA)
        replaced = None if held_seq is None else self.drop([held_seq])[0]
        seq = append(self._conn, statement, candidate.view, holder, self._now_ms)
        if isinstance(statement.record.record, Advertisement):
            self._appended.append((seq, statement.record.record))
        self._quotas.moved(holder, 1)
        self._tally[holder.kind, holder.peer is None] += 1
        self.changes.added.append((statement.record.id, statement.exp))
        renewed = held is not None and held.kind is holder.kind
        return Admitted(LogOutcome.RENEWED if renewed else LogOutcome.NEW, replaced)

    def _makes_room(self, new: LineOwner, *, direct: bool) -> bool:
        """Evict a line of the same address range, see `neighbour`; False if none has to give way."""
        assert new.net is not None
        leaving = neighbour(self._conn, new, self._spared_keys(), direct=direct)
        return leaving is not None and bool(self.drop([leaving]))

    def _spared_keys(self) -> Collection[bytes]:
        """Read only when something has to be evicted, once per write."""
        if self._spared is None:
            self._spared = self._limits.pinned_keys.union(self._partners(self._conn))
        return self._spared

    def _is_kept(self, candidate: Candidate) -> bool:
        record = candidate.statement.record.record
        if candidate.kept or not self._limits.pinned_keys:
            return candidate.kept
        return isinstance(record, Advertisement | Withdrawal) and record.pubkey in self._limits.pinned_keys

    def _left(self, gone: Gone) -> None:
        self._quotas.moved(gone.holder, -1)
        self._tally[gone.holder.kind, gone.holder.peer is None] -= 1
        self.changes.gone.append((gone.id, gone.exp))

    def _write_tally(self) -> None:
        changed = [(by, kind.value, int(unknown)) for (kind, unknown), by in self._tally.items() if by]
        self._conn.executemany("UPDATE directory_tally SET lines = lines + ? WHERE kind = ? AND unknown = ?", changed)
        self._tally.clear()


def _holder(statement: Statement, net: bytes | None, held: LineOwner | None) -> LineOwner:
    """For whom a statement counts; a withdrawal counts for the peer whose advertisement it ends."""
    record = statement.record.record
    if not isinstance(record, Withdrawal):
        return LineOwner(statement.kind, record.peer, net)
    return LineOwner(statement.kind, held.peer if held else None, held.net if held else None)
