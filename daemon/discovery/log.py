"""One write to the directory: which statements enter the log, which leave it.

Signatures were checked before. Here the newer-rule, the quotas and the room decide, because only a write sees what is
stored at that moment.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from musig2.protocol.records import Advertisement, Withdrawal

from .eviction import victims
from .limits import DiscoveryLimits
from .lines import Gone, Holder, append, take_out
from .quotas import Quotas
from .statements import Kind, Statement, rank_of


class Verdict(StrEnum):
    """What became of a statement."""

    NEW = "new"
    RENEWED = "renewed"  # it took the place of an older one of the same subject and kind
    KNOWN = "known"
    OLDER = "older"
    QUOTA = "quota"  # its peer or its address range has enough
    FULL = "full"  # its kind has enough

    @property
    def stored(self) -> bool:
        """True when it is in the log now and was not before."""
        return self in (Verdict.NEW, Verdict.RENEWED)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked statement on its way into the log. `view` is the JSON for clients, None unless an advertisement."""

    statement: Statement
    net: bytes | None = None
    view: bytes | None = None
    kept: bool = False  # own: no quota


@dataclass(slots=True)
class Changes:
    """What a write did, for those who keep sums and tell clients; worth nothing if the write is rolled back."""

    verdicts: list[Verdict] = field(default_factory=list)
    replaced: list[Gone | None] = field(default_factory=list)  # beside the verdicts: the line that made place
    added: list[tuple[bytes, int]] = field(default_factory=list)  # id, exp
    gone: list[tuple[bytes, int]] = field(default_factory=list)  # id, exp


class LogWrite:
    """The changes of one transaction; `close` must be called before it ends."""

    def __init__(self, conn: sqlite3.Connection, limits: DiscoveryLimits, now_ms: int) -> None:
        self._conn = conn
        self._limits = limits
        self._now_ms = now_ms
        self._quotas = Quotas(conn, limits)
        self._tally: Counter[tuple[Kind, bool]] = Counter()
        self.changes = Changes()

    def admit(self, candidate: Candidate) -> Verdict:
        """Take a candidate in if it is newer than what is known and if there is room for it."""
        self.changes.replaced.append(None)
        verdict = self._admit(candidate)
        self.changes.verdicts.append(verdict)
        return verdict

    def drop(self, seqs: Iterable[int]) -> list[Gone]:
        """Take lines out; those that were there are returned."""
        taken = [gone for gone in (take_out(self._conn, seq) for seq in seqs) if gone is not None]
        for gone in taken:
            self._left(gone)
        return taken

    def close(self) -> Changes:
        """Write the counts, make room if there are too many lines, and say what was done."""
        self._write_tally()
        self.drop(victims(self._conn, self._limits))
        self._write_tally()
        return self.changes

    def _admit(self, candidate: Candidate) -> Verdict:
        statement = candidate.statement
        current = self._conn.execute(
            "SELECT seq, id, ts, kind, peer, net FROM directory_log WHERE subject = ?", (statement.subject,)
        ).fetchone()
        if current is None:
            return self._append(candidate, None, None)
        seq, record_id, ts, kind, peer, net = current
        if record_id == statement.record.id:
            return Verdict.KNOWN
        if rank_of(ts, kind, record_id) > statement.rank:
            return Verdict.OLDER
        return self._append(candidate, Holder(Kind(kind), peer, net), seq)

    def _append(self, candidate: Candidate, held: Holder | None, held_seq: int | None) -> Verdict:
        statement = candidate.statement
        holder = _holder(statement, candidate.net, held)
        refusal = None if self._is_kept(candidate) else self._quotas.refusal(holder, held)
        if refusal is not None:
            return Verdict(refusal)
        if held_seq is not None:
            self.changes.replaced[-1] = self.drop([held_seq])[0]
        append(self._conn, statement, candidate.view, holder, self._now_ms)
        self._quotas.moved(holder, 1)
        self._tally[holder.kind, holder.peer is None] += 1
        self.changes.added.append((statement.record.id, statement.exp))
        return Verdict.RENEWED if held is not None and held.kind is holder.kind else Verdict.NEW

    def _is_kept(self, candidate: Candidate) -> bool:
        record = candidate.statement.record.record
        pinned = isinstance(record, Advertisement | Withdrawal) and record.pubkey in self._limits.pinned_keys
        return pinned or candidate.kept

    def _left(self, gone: Gone) -> None:
        self._quotas.moved(gone.holder, -1)
        self._tally[gone.holder.kind, gone.holder.peer is None] -= 1
        self.changes.gone.append((gone.id, gone.exp))

    def _write_tally(self) -> None:
        changed = [(by, kind.value, int(unknown)) for (kind, unknown), by in self._tally.items() if by]
        self._conn.executemany("UPDATE directory_tally SET lines = lines + ? WHERE kind = ? AND unknown = ?", changed)
        self._tally.clear()


def _holder(statement: Statement, net: bytes | None, held: Holder | None) -> Holder:
    """For whom a statement counts; a withdrawal counts for the peer whose advertisement it ends."""
    record = statement.record.record
    if not isinstance(record, Withdrawal):
        return Holder(statement.kind, record.peer, net)
    return Holder(statement.kind, held.peer if held else None, held.net if held else None)


def admit(conn: sqlite3.Connection, candidates: Sequence[Candidate], limits: DiscoveryLimits, now_ms: int) -> Changes:
    """Take candidates into the log, in order, one verdict each."""
    write = LogWrite(conn, limits, now_ms)
    for candidate in candidates:
        write.admit(candidate)
    return write.close()


def prune(conn: sqlite3.Connection, limits: DiscoveryLimits, now_ms: int, at_most: int = 2_000) -> Changes:
    """Take out what expired longer ago than the grace time."""
    write = LogWrite(conn, limits, now_ms)
    rows = conn.execute(
        "SELECT seq FROM directory_log WHERE exp <= ? LIMIT ?", (now_ms - limits.grace_ms, at_most)
    ).fetchall()
    write.drop(row[0] for row in rows)
    return write.close()
