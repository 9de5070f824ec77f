"""Real daemons with proxies between them: partitions that heal and that do not, slow lines, connections that break."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
import pytest_asyncio

from daemon.demo.wallet import Wallet
from tests.e2e.fleet import advertise_all
from tests.e2e.proxy import Proxies
from tests.e2e.steps import Steps
from tests.e2e.vessels import vessels_behind_proxies

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

How = Literal["held", "cut"]
SESSIONS = 10
SOON_MS = 5_000  # the steps before it take a twentieth of this


@dataclass
class Sea:
    """Three daemons, each pair with a wire of its own."""

    wallets: Sequence[Wallet]
    proxies: Proxies

    def isolate(self, name: str, how: How) -> None:
        """Cut this daemon off from all others."""
        for wire in self.proxies.around(name):
            if how == "held":
                wire.hold()
            else:
                wire.cut()

    async def heal(self) -> None:
        """End the partition, once the others have run into it."""
        await self.proxies.wire("Alice", "Carol").caught()
        self.proxies.heal()

    @staticmethod
    def peer(wallet: Wallet) -> str:
        """The peer id of this wallet's daemon."""
        return str(wallet.daemon.endpoint["peerId"])

    def silence(self, name: str) -> None:
        """Let this daemon receive and not send."""
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


async def test_a_request_that_was_lost_on_its_way_does_not_count_as_delivered(sea: Sea) -> None:
    steps = Steps(sea.wallets)
    alice, _, carol = sea.wallets
    lost = len(await alice.heard("peer:disconnected", times=0, peerId=sea.peer(carol)))
    wire = sea.proxies.wire("Alice", "Carol")
    wire.hold()
    await steps.announce()
    await wire.caught()
    wire.cut()
    await alice.heard("peer:disconnected", times=lost + 1, peerId=sea.peer(carol))
    await alice.call("joinSigningRequest", requestId=steps.request, publicKey=alice.pubkey)  # again: changes nothing

    shown = await alice.call("getSigningRequest", requestId=steps.request)

    delivered = {signer["publicKey"]: signer["delivered"] for signer in shown["signers"]}
    assert not delivered[carol.pubkey]
    sea.proxies.heal()
    await steps.join()
    await steps.until("session:ready")


async def test_two_signers_that_cannot_reach_each_other_sign_through_the_third(sea: Sea) -> None:
    steps = Steps(sea.wallets, autoAdvance=True)
    _, bob, carol = sea.wallets
    await steps.announce()
    await steps.until("signing-request:received", bob, carol)
    sea.proxies.wire("Alice", "Carol").cut()

    await steps.join()

    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


async def test_a_request_reaches_a_signer_that_its_creator_cannot_reach(sea: Sea) -> None:
    steps = Steps(sea.wallets, autoAdvance=True)
    sea.proxies.wire("Alice", "Carol").cut()
    await steps.announce()

    await steps.join()

    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("number", [1, 2])
async def test_a_signer_that_stays_away_from_a_round_is_missing(sea: Sea, number: int) -> None:
    steps = Steps(sea.wallets, roundMs=SOON_MS)
    alice, bob, carol = sea.wallets
    await (steps.all_ready() if number == 1 else steps.all_nonces())
    sea.isolate("Carol", "cut")
    await steps.start(number)

    ends = await steps.until("session:aborted")

    reason = f"timeout_round{number}"
    assert [end["missing"] for end in ends[:2]] == [[carol.pubkey], [carol.pubkey]]
    assert ends[2]["missing"] == sorted([alice.pubkey, bob.pubkey])
    assert [end["culprits"] for end in ends] == [[], [], []]
    assert reason in {end["reason"] for end in ends[:2]} <= {reason, "aborted_by_signer"}  # the other heard of it first
    assert ends[2]["reason"] == reason


async def test_after_a_partition_that_was_too_long_the_next_attempt_begins(sea: Sea) -> None:
    steps = Steps(sea.wallets, roundMs=SOON_MS)
    alice, *_ = sea.wallets
    await steps.all_ready()
    sea.isolate("Carol", "held")
    await steps.start(1)
    await steps.until("session:aborted")

    sea.proxies.heal()
    await alice.call("joinSigningRequest", requestId=steps.request, publicKey=alice.pubkey)

    await steps.ready_again()
    assert await steps.attempts() == [2, 2, 2]


async def test_a_signer_that_never_joins_is_missing_when_the_request_expires(sea: Sea) -> None:
    steps = Steps(sea.wallets, ttl=SOON_MS)
    alice, bob, carol = sea.wallets
    sea.isolate("Carol", "cut")
    await steps.announce()
    await steps.join(bob)

    ends = await steps.until("session:aborted", alice, bob)

    assert [(end["reason"], end["missing"]) for end in ends] == [("timeout_joining", [carol.pubkey])] * 2
    shown = await alice.call("getSigningRequest", requestId=steps.request)
    assert shown["state"] == "expired"


async def test_200_ms_each_way_are_waited_for(sea: Sea) -> None:
    steps = Steps(sea.wallets, autoAdvance=True)
    for wire in sea.proxies.wires:
        wire.delay_s = 0.2
    await steps.announce()

    await steps.join()

    await steps.final()
    assert await steps.attempts() == [1, 1, 1]


@pytest.mark.parametrize("seed", range(3))
async def test_connections_that_break_all_the_time_cost_no_session(sea: Sea, seed: int) -> None:
    chance = random.Random(seed)
    broken = sum(wire.breaks for wire in sea.proxies.wires)
    every = [Steps(sea.wallets, autoAdvance=True) for _ in range(SESSIONS)]
    for wire in sea.proxies.wires:
        wire.make_brittle(lambda: chance.randrange(4_000, 30_000))

    await asyncio.gather(*(steps.announce() for steps in every))
    await asyncio.gather(*(steps.join() for steps in every))

    for steps in every:
        await steps.final()
        assert await steps.attempts() == [1, 1, 1]
    assert sum(wire.breaks for wire in sea.proxies.wires) > broken
