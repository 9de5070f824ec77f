"""Honest users: a pair that signs all the time, and new creators whose requests should arrive."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from typing import Self

from tests.adversary.target import Target
from tests.bench.signing_parts import Wallet, announce, finished, join

NEVER = float("inf")
PAUSE_S = 0.05  # between two signatures, so that the pair alone does not fill the machine
UNSEEN_S = 10.0  # a request that has not arrived by then counts as lost
NEXT_S = 1.0
UNSIGNED_S = 20.0  # the same for a signature


class Pair:
    """Two daemons that have signed with each other before; they take turns as creator."""

    def __init__(self, wallets: Sequence[Wallet]) -> None:
        self._wallets = list(wallets)

    async def sign(self) -> float:
        """Seconds from the request to the signature at both; infinite if it does not come."""
        self._wallets.reverse()
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(UNSIGNED_S):
                request = await announce(self._wallets[0], self._wallets)
                await join(self._wallets[1], request)
                return await finished(self._wallets, request) - began
        except TimeoutError:
            return NEVER

    async def sign_until(self, stop: asyncio.Event, took: list[float]) -> None:
        """Make one signature after the other until then; wait for the last one."""
        while not stop.is_set():
            took.append(await self.sign())
            await asyncio.sleep(PAUSE_S)


class Newcomers:
    """The process that makes them (newcomer.py)."""

    def __init__(self, process: asyncio.subprocess.Process, victim: Wallet) -> None:
        self._process = process
        self._victim = victim

    @classmethod
    async def start(cls, target: Target, seed: int, victim: Wallet) -> Self:
        """Start the process."""
        words = (sys.executable, "-m", "tests.adversary.newcomer", target.dumps(), str(seed))
        return cls(await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL), victim)

    async def ask_until(self, stop: asyncio.Event, took: list[float]) -> None:
        """Ask one after the other: seconds until each request arrives at the victim, infinite if never."""
        while not stop.is_set():
            took.append(await self.ask())
            await asyncio.sleep(NEXT_S)

    async def ask(self) -> float:
        """Seconds until the request of a new creator arrives at the victim."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"a")
        asked = json.loads(await self._process.stdout.readline())
        heard = self._victim.hears("signing-request:received", asked["request"])
        try:
            seen = await asyncio.wait_for(asyncio.shield(heard), UNSEEN_S) - asked["at"]
        except TimeoutError:
            seen = NEVER
        self._process.stdin.write(b"g")
        return seen

    async def stop(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
