"""What policy and audit log cost a session: CPU of both daemons, paired, in one process with real stores.

    .venv/bin/python -m tests.bench.bench_policy [--small]

Three pairs of daemons take turns, a block of sessions each: without policy and audit log, with the log, with both. Each
session signs one input of a transaction that is reviewed. It is joined by calls in all three, so that the rules come on
top. The log goes nowhere.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from config.logging import log_to
from daemon.audit.calls import CallRecorder
from daemon.audit.log import AuditLog
from daemon.commands.run import SWITCH_SECONDS
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

    async def block(self) -> float:
        """Milliseconds of CPU for each session and daemon."""
        gc.collect()
        began = time.process_time()
        for _ in range(SESSIONS):
            await self.session()
        return (time.process_time() - began) * 1000 / SESSIONS / 2


async def measure(folder: Path, blocks: int) -> None:
    worlds = [World(folder / f"w{number}") for number in range(3)]
    nothing = PairOfDaemons(worlds[0], audit=False, rules=None)
    audit = PairOfDaemons(worlds[1], audit=True, rules=None)
    both = PairOfDaemons(worlds[2], audit=True, rules=RULES)
    pairs = [nothing, audit, both]
    try:
        for pair in pairs:
            await pair.start()
            for _ in range(WARM):
                await pair.block()
        found: list[list[float]] = []
        for number in range(blocks):
            order = [(number + step) % 3 for step in range(3)]
            taken = {which: await pairs[which].block() for which in order}
            found.append([taken[which] for which in range(3)])
    finally:
        for world in worlds:
            await world.stop()
    tell(found)


def tell(found: list[list[float]]) -> None:
    for which, name in enumerate(("nothing", "audit", "audit and policy")):
        own = [block[which] for block in found]
        more = [100 * (block[which] / block[0] - 1) for block in found]
        low, high = sorted(more)[len(more) // 4], sorted(more)[-len(more) // 4]
        print(
            f"  {name:<20}{statistics.median(own):7.2f} ms of CPU per session and daemon"
            f"{statistics.median(more):+8.1f} %  (quartiles {low:+.1f}, {high:+.1f})",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a look in a few seconds")
    args = parser.parse_args()
    log_to(Discards(), "info", "console")
    sys.setswitchinterval(SWITCH_SECONDS)  # as `musigd run` does
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), 15 if args.small else 90))


if __name__ == "__main__":
    main()
