"""The state that outlives a crash: the Save effects of committed batches, under the same locks as in the real store."""

from __future__ import annotations

from collections.abc import Iterable

from musig2.protocol.interface.effects import (
    Save,
    SaveJoin,
    SaveLock,
    SaveMessage,
    SaveOutcome,
    SaveRecord,
    SaveSession,
    SessionRow,
)


class UniqueViolation(Exception):
    """Something that may be stored once was to be stored twice."""


class DurableStore:
    """Tables with the keys that the machine relies on. A commit is all or nothing."""

    def __init__(self) -> None:
        self.joins: dict[tuple[int, int], SaveJoin] = {}
        self.messages: dict[tuple[bytes, int, int], SaveMessage] = {}
        self.rows: dict[tuple[bytes, bytes], SessionRow] = {}
        self.records: dict[bytes, SaveRecord] = {}
        self.locks: dict[tuple[bytes, bytes, int], bytes] = {}
        self.outcome: SaveOutcome | None = None

    def commit(self, saves: Iterable[Save]) -> None:
        saves = list(saves)
        for save in saves:
            self._check(save)
        for save in saves:
            self._apply(save)

    def _check(self, save: Save) -> None:
        match save:
            case SaveLock() if (save.session, save.key, save.item) in self.locks:
                raise UniqueViolation("lock")
            case SaveJoin(own=True) if (save.join.record.attempt, save.index) in self.joins:
                raise UniqueViolation("join")
            case SaveMessage(own=True, seq=1 | 2) if (save.session, save.index, save.seq) in self.messages:
                raise UniqueViolation("message")
            case _:
                pass

    def _apply(self, save: Save) -> None:
        match save:
            case SaveJoin():
                self.joins.setdefault((save.join.record.attempt, save.index), save)
            case SaveMessage():
                self.messages.setdefault((save.session, save.index, save.seq), save)
            case SaveLock():
                self.locks[save.session, save.key, save.item] = save.digest
            case SaveSession():
                self.rows[save.row.session, save.row.key] = save.row
            case SaveOutcome():
                if self.outcome is not None and self.outcome.signatures:
                    assert save.signatures == self.outcome.signatures, "a stored signature was replaced"
                self.outcome = save
            case SaveRecord():
                self.records.setdefault(save.signed.id, save)
