"""Two real daemons that know each other, each with a client."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon.demo.processes import Daemons, DemoDaemon
from musigd_client import Client


@dataclass
class Pair:
    """Alice and Bob."""

    daemons: tuple[DemoDaemon, DemoDaemon]
    alice: Client
    bob: Client

    @property
    def datadirs(self) -> tuple[Path, Path]:
        return self.daemons[0].datadir, self.daemons[1].datadir


@asynccontextmanager
async def two_daemons(root: Path) -> AsyncIterator[Pair]:
    """They run in data directories `alice` and `bob` of that folder until the block is left."""
    daemons = Daemons(root, f"test-{secrets.token_hex(4)}")
    try:
        first = await daemons.start("alice", ())
        second = await daemons.start("bob", (first.multiaddr,))
        async with (
            await Client.connect(datadir=first.datadir) as alice,
            await Client.connect(datadir=second.datadir) as bob,
        ):
            yield Pair((first, second), alice, bob)
    finally:
        await daemons.stop()
