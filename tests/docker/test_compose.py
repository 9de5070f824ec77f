"""compose.yaml: three daemons in a network of their own find each other, and sign."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from daemon.demo.processes import DemoDaemon
from daemon.demo.wallet import Wallet
from musigd_client import Client
from musigd_client.endpoint import DataDir
from tests.docker.container import READY
from tests.docker.engine import Engine
from tests.e2e.fleet import advertise_all, sign

PROJECT = "musigd-test"
SERVICES = ("alice", "bob", "carol")


@pytest_asyncio.fixture
async def wallets(engine: Engine) -> AsyncIterator[list[Wallet]]:
    """One beside each daemon of the file."""
    variables = {"COMPOSE_PROJECT_NAME": PROJECT}
    engine.compose("up", "--detach", "--no-build", **variables)
    try:
        made = []
        for name in SERVICES:
            container = engine.compose("ps", "--quiet", name, **variables).strip()
            made.append(await open_wallet(engine, name, container))
        yield made
        for wallet in made:
            await wallet.close()
    finally:
        engine.compose("down", "--volumes", **variables)


async def open_wallet(engine: Engine, name: str, container: str) -> Wallet:
    """Waits until the daemon is ready."""
    assert engine.until(READY, "logs", "--follow", container), f"{name} is not ready"
    pid = engine.run("inspect", "--format", "{{.State.Pid}}", container).strip()
    wallet = Wallet(name, cast("DemoDaemon", None), Client(DataDir(Path(f"/proc/{pid}/root/data"), by_socket=True)))
    await wallet.open()
    return wallet


@pytest.mark.parametrize("scheme", ["lotus", "bip340"])
async def test_three_daemons_find_each_other_and_sign(wallets: list[Wallet], scheme: str) -> None:
    await advertise_all(wallets, scheme)

    final = await sign(wallets)

    assert len(final["signatures"]) == 1
