"""Records calls of clients: who called, with which token, and the result."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final, Protocol

import structlog

from daemon.audit.log import AuditLog
from daemon.clock import Clock
from daemon.store import Store, StoreError
from daemon.tasks import BackgroundTasks
from rpc.ports import CallFacts

# Refusals that show somebody trying to exceed its rights; the others are mistakes of clients.
RECORDED_REFUSALS: Final = frozenset(
    {"forbidden", "wrong_passphrase", "policy_denied", "approval_needed", "locked"}
    | {"message_mismatch", "script_mismatch", "transaction_unreadable", "unchecked"}
)
GROUNDS: Final = ("rule", "line", "verdict")  # what the data of a refusal says of the policy
REFUSALS_PER_MINUTE: Final = 60

log = structlog.get_logger("musigd.audit")


class Tokens(Protocol):
    """The part of `daemon.access.tokens.Tokens` that is needed here."""

    def label_of(self, token_id: str) -> str: ...


class CallRecorder:
    """Implements `rpc.ports.Recorder`. At most 60 refusals a minute are on record; the next says how many were not."""

    def __init__(self, *, audit: AuditLog, store: Store, tokens: Tokens, clock: Clock) -> None:
        self._audit = audit
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._tasks = BackgroundTasks("audit")
        self._minute, self._refused, self._left_out = 0, 0, 0

    def append(self, transaction: sqlite3.Connection, facts: CallFacts) -> None:
        self._audit.append(transaction, "call", self._told(facts))

    async def note(self, facts: CallFacts) -> None:
        await self._store.write(lambda conn: self.append(conn, facts))

    def refused(self, facts: CallFacts, reason: str, data: Mapping[str, Any]) -> None:
        if reason not in RECORDED_REFUSALS or not self._may_record():
            return
        why = {name: data[name] for name in GROUNDS if name in data}
        told = {**self._told(facts), "refused": reason, **why}
        if self._left_out:
            told["refusalsNotRecorded"], self._left_out = self._left_out, 0
        self._tasks.once("refusal", self._write(told))

    async def stop(self) -> None:
        """Wait until all refusals are stored."""
        await self._tasks.finished()

    async def _write(self, told: dict[str, object]) -> None:
        try:
            await self._store.write(lambda conn: self._audit.append(conn, "call", told))
        except StoreError as error:
            log.warning("a refused call is not on record", reason=error.reason, detail=str(error))

    def _may_record(self) -> bool:
        minute = self._clock.mono_ms() // 60_000
        if minute != self._minute:
            self._minute, self._refused = minute, 0
        self._refused += 1
        if self._refused > REFUSALS_PER_MINUTE:
            self._left_out += 1
            return False
        return True

    def _told(self, facts: CallFacts) -> dict[str, object]:
        label = self._tokens.label_of(facts.token_id)
        who = {"token": facts.token_id, "through": facts.through, **({"label": label} if label else {})}
        if facts.place:
            who["from"] = facts.place
        return {"method": facts.method, "who": who, **facts.named}
