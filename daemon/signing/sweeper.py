"""Frees memory and the store of what is old or idle, every ten seconds.

Requests that have ended leave memory every second, some in each turn: Python's garbage collector looks at everything
that is in memory while the event loop waits for it, and a request is seventy objects.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.signer import Signer
from daemon.signing.engine.turn import Turn
from daemon.signing.owner.consent import Consent
from daemon.signing.peers.traffic import Traffic
from daemon.signing.ports import Surroundings
from daemon.signing.store.retention import delete_old, delete_requests, unwanted

SWEEP_MS = 10_000
DROP_MS = 1_000
DROPPED_AT_ONCE = 50  # requests in one turn
DELETED_AT_ONCE = 50  # requests; a longer transaction would delay sessions under way


class Sweeper:
    """Runs by itself between `start` and `stop`."""

    def __init__(
        self,
        around: Surroundings,
        *,
        inbox: Inbox,
        roster: Roster,
        signer: Signer,
        traffic: Traffic,
        consent: Consent,
    ) -> None:
        self._around = around
        self._inbox = inbox
        self._roster = roster
        self._signer = signer
        self._traffic = traffic
        self._consent = consent
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task."""
        self._task = asyncio.create_task(self._run(), name="signing sweeper")

    async def stop(self) -> None:
        """Stop the task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            for _ in range(SWEEP_MS // DROP_MS):
                await asyncio.sleep(DROP_MS / 1000)
                self._drop_soon()
            self.sweep()
            await self.sweep_store()

    def sweep(self) -> None:
        """Free memory of what is old or idle."""
        self._signer.wipe_old()
        self._traffic.forget_old(self._around.clock.mono_ms())
        self._inbox.put(self._drop_idle)
        self._consent.time_passed()

    async def sweep_store(self) -> None:
        """Delete what has been kept long enough, unless peers say that the clock is wrong. Raises StoreError."""
        around = self._around
        if around.rules is not None and around.rules.clock_was_set():
            await around.store.write(around.rules.keep_clock)
        if not around.clock_is_wrong():
            await around.store.write(partial(delete_old, wall_ms=around.clock.wall_ms(), limits=around.limits))
            await self._sweep_unwanted()
            if around.rules is not None:
                await around.store.write(around.rules.forget_old)

    async def _sweep_unwanted(self) -> None:
        around = self._around
        find = partial(unwanted, wall_ms=around.clock.wall_ms(), limits=around.limits)
        requests = await around.store.read_slow(find)
        for start in range(0, len(requests), DELETED_AT_ONCE):
            some = requests[start : start + DELETED_AT_ONCE]
            await around.store.write(partial(delete_requests, requests=some))

    def _drop_soon(self) -> None:
        if self._idle(self._around.clock.mono_ms()):
            self._inbox.put(self._drop_idle)

    def _drop_idle(self, turn: Turn) -> None:
        for entry in self._idle(turn.now.mono_ms):
            self._roster.drop(entry)
            self._traffic.notices.forget(entry)
        self._drop_soon()

    def _idle(self, mono_ms: int) -> list[OpenRequest]:
        limits = self._around.limits
        idle = self._roster.idle_before(mono_ms - limits.idle_ms, mono_ms - limits.signed_ms)
        return list(islice(idle, DROPPED_AT_ONCE))
