"""Pairs of daemons in one process with real stores, with and without policy and audit log.

Each session signs one input of a transaction that is reviewed. It is joined by calls whatever the rules say, so that
the rules come on top. The log goes nowhere.
"""

from __future__ import annotations

import gc
import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from config.logging import log_to
from daemon.audit.calls import CallRecorder
from daemon.audit.log import AuditLog
from rpc.caller import owner
from rpc.calls.on_record import RecordedOnce
from rpc.methods.table import METHODS
from rpc.ports import CallFacts
from tests.signing.policy.payments import paying
from tests.signing.signing_world import Daemon, World

SESSIONS: Final = 4  # of a block: short ones, so that what else the machine does falls on all three alike
WARM: Final = 10  # blocks
RULES: Final = (
    '[[rule]]\nname = "never"\nverdict = "refuse"\nreview = ["blind", "open"]\n'
    '[[rule]]\nname = "large"\nverdict = "ask"\nmin_amount = 50_000_000\napprovals = {need = 2, of = ["anna", "ben"]}\n'
    '[[rule]]\nname = "swaps"\nverdict = "join"\ntransaction_types = ["swap"]\nmin_reputation = 60\n'
    '[[rule]]\nname = "daily"\nverdict = "join"\nmax_amount = 100_000\nmax_fee = 10_000\nmax_fee_rate = 1_000_000\n'
    'hours = ["00:00-24:00"]\nper_hour = {amount = 1_000_000_000, count = 100_000}\n'
    "per_day = {amount = 1_000_000_000}\nper_creator_day = {amount = 1_000_000_000}\n"
)


class NoAudit(AuditLog):
    """Writes nothing."""

    def append_all(self, conn: sqlite3.Connection, recorded: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Nothing."""


class Discards(logging.Handler):
    """Renders what is logged, as a daemon does."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def logs_nowhere() -> None:
    """From now on what is logged is rendered and dropped."""
    log_to(Discards(), "info", "console")


class NoLabels:
    def label_of(self, token_id: str) -> str:
        return ""


class PairOfDaemons:
    """Two daemons and their recorder of calls."""

    def __init__(self, world: World, *, audit: bool, rules: str | None) -> None:
        self._world = world
        self._audit = audit
        self._rules = rules

    async def start(self) -> None:
        self.daemons = [await self._world.add(rules=self._rules) for _ in range(2)]
        self._recorders = [self._recorder(each) for each in self.daemons]

    def _recorder(self, daemon: Daemon) -> CallRecorder:
        audit = AuditLog(daemon.clock) if self._audit else NoAudit(daemon.clock)
        daemon.events._audit = audit
        return CallRecorder(audit=audit, store=daemon.store, tokens=NoLabels(), clock=daemon.clock)

    async def _call(self, which: int, method: str, **params: Any) -> Any:
        facts = CallFacts("owner", method, "http", {"publicKey": params["publicKey"]}, "127.0.0.1:50000")
        model = METHODS[method].params.model_validate(params)
        once = RecordedOnce(self._recorders[which], facts, None)
        return await self.daemons[which].handlers[method](owner(), model, once)

    async def session(self) -> None:
        one, other = self.daemons
        keys = [one.key.hex(), other.key.hex()]
        params = paying("lotus", [one.key, other.key], 5_000, 500)
        asked = await self._call(0, "announceSigningRequest", publicKey=keys[0], requiredPublicKeys=keys, **params)
        request = asked["requestId"]
        await self._heard(other, "signing-request:received", request)
        await self._call(1, "joinSigningRequest", publicKey=keys[1], requestId=request)
        for daemon in self.daemons:
            await self._heard(daemon, "signature:finalized", request)

    async def _heard(self, daemon: Daemon, name: str, request: str) -> None:
        seq = max(1, daemon.events.next_seq - 12)
        while True:
            for event in daemon.events.read(seq, 100):
                seq = event.seq + 1
                if event.event == name and event.data.get("requestId") == request:
                    return
            await daemon.events.wait(daemon.events.next_seq)

    async def warm_up(self) -> None:
        """A few blocks that do not count."""
        for _ in range(WARM):
            await self.block()

    async def block(self) -> float:
        """Milliseconds of CPU for each session and daemon."""
        gc.collect()
        began = time.process_time()
        for _ in range(SESSIONS):
            await self.session()
        return (time.process_time() - began) * 1000 / SESSIONS / 2
