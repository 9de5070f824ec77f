"""Honest users: a pair that signs all the time, and new creators whose requests should arrive."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from itertools import count
from typing import Self

from tests.adversary.target import Target
from tests.bench.signing_parts import Wallet, announce, finished, join

NEVER = float("inf")
EVERY_S = 0.05  # a signature is begun, so that the pair alone does not fill the machine
UNSEEN_S = 10.0  # a request that has not arrived by then counts as lost
NEXT_S = 1.0
UNSIGNED_S = 20.0  # the same for a signature


class Pair:
    """Two daemons that have signed with each other before; they take turns as creator."""

    def __init__(self, wallets: Sequence[Wallet]) -> None:
        self._wallets = tuple(wallets)
        self._numbers = count()

    async def sign(self, due: float | None = None) -> float:
        """Seconds from the request, or from when it was due, to the signature at both; infinite if it does not come."""
        creator, signer = self._wallets[:: -1 if next(self._numbers) % 2 else 1]
        began = asyncio.get_running_loop().time() if due is None else due
        try:
            async with asyncio.timeout(UNSIGNED_S):
                request = await announce(creator, self._wallets)
                await join(signer, request)
                return await finished(self._wallets, request) - began
        except TimeoutError:
            return NEVER

    async def sign_until(self, stop: asyncio.Event, took: list[float]) -> None:
        """Begin one after the other until then, each when it is due, and wait for all.

        None waits for those before: whoever does counts one late signature where many would have been late.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                group.create_task(self._note(due, took))
                due += EVERY_S
                await asyncio.sleep(due - loop.time())

    async def _note(self, due: float, took: list[float]) -> None:
        took.append(await self.sign(due))


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
