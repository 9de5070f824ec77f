"""Real daemons with proxies between them: partitions that heal and that do not, slow lines, connections that break."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
import pytest_asyncio

from daemon.demo.wallet import Wallet

from .fleet import advertise_all
from .proxy import Proxies
from .steps import Steps
from .vessels import vessels_behind_proxies

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

How = Literal["held", "cut"]
SESSIONS = 5


@dataclass
class Sea:
    """Three daemons, each pair with a wire of its own."""

    wallets: Sequence[Wallet]
    proxies: Proxies

    def isolate(self, name: str, how: How) -> None:
        """Part this one from all others."""
        for wire in self.proxies.around(name):
            if how == "held":
                wire.hold()
            else:
                wire.cut()

    async def heal(self) -> None:
        """Once the others have run into the partition, end it."""
        await self.proxies.wire("Alice", "Carol").caught()
        self.proxies.heal()

    def silence(self, name: str) -> None:
        """Let this one hear and not be heard."""
        for wire in self.proxies.around(name):
            wire.hold(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_sea(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sea]:
    async with vessels_behind_proxies(tmp_path_factory.mktemp("sea"), 3) as (made, proxies):
        wallets = [vessel.wallet for vessel in made]
        await advertise_all(wallets, "lotus")
        yield Sea(wallets, proxies)


@pytest.fixture
def sea(whole_sea: Sea) -> Sea:
    whole_sea.proxies.heal()
    return whole_sea


@pytest.mark.parametrize("how", ["held", "cut"])
async def test_a_partition_before_the_request_arrived_heals(sea: Sea, how: How) -> None:
    steps = Steps(sea.wallets)
    _, bob, carol = sea.wallets
    sea.isolate("Carol", how)
    await steps.announce()
    await steps.join(bob)

    await sea.heal()

    await steps.join(carol)
    await steps.start(1)
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("how", ["held", "cut"])
async def test_a_partition_while_joining_heals(sea: Sea, how: How) -> None:
    steps = Steps(sea.wallets)
    _, bob, carol = sea.wallets
    await steps.announce()
    await steps.until("signing-request:received", bob, carol)
    sea.isolate("Carol", how)
    await steps.join()

    await sea.heal()

    await steps.until("session:ready")
    await steps.start(1)
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("how", ["held", "cut"])
async def test_a_partition_before_round_1_heals(sea: Sea, how: How) -> None:
    steps = Steps(sea.wallets)
    await steps.all_ready()
    sea.isolate("Carol", how)
    await steps.start(1)

    await sea.heal()

    await steps.until("round1:complete")
    await steps.start(2)
    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("how", ["held", "cut"])
async def test_a_partition_between_the_rounds_heals(sea: Sea, how: How) -> None:
    steps = Steps(sea.wallets)
    await steps.all_nonces()
    sea.isolate("Carol", how)
    await steps.start(2)

    await sea.heal()

    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("how", ["held", "cut"])
async def test_a_partition_after_the_partials_heals(sea: Sea, how: How) -> None:
    steps = Steps(sea.wallets)
    _, _, carol = sea.wallets
    await steps.all_nonces()
    sea.silence("Carol")
    await steps.start(2)
    alone = await steps.final(carol)
    sea.isolate("Carol", how)

    await sea.heal()

    assert await steps.final() == alone
    assert await steps.attempts() == [1, 1, 1]
