"""Peers that answer slowly keep nobody from synchronising with others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from daemon.discovery.limits import HOUR_MS
from daemon.discovery.sync import rounds as rounds_module
from daemon.discovery.sync.conversation import Conversation, End, Report, Stop
from daemon.discovery.sync.rounds import GREETED_AT_ONCE, Rounds
from musig2.protocol.wire.sync import Greeting, Hello
from p2p.network import Direction, PeerChange
from tests.discovery.discovery_world import DEADLINE_S, Daemon, World, until

HELLO = Hello(bytes(8), 1_000_000, 0, None)


class SlowPuller:
    """Pulls that end only for the honest peer, and may be told to fail."""

    def __init__(self, honest: bytes) -> None:
        self.honest = honest
        self.begun: list[bytes] = []
        self.compared: list[bytes] = []
        self.failure: Exception | None = None

    def is_behind(self, peer: bytes, hello: Hello) -> bool:
        return True

    async def pull(self, peer: bytes, *, compare: bool = False) -> Report:
        self.begun.append(peer)
        if compare:
            self.compared.append(peer)
        if peer != self.honest:
            await asyncio.get_running_loop().create_future()
        if self.failure is not None:
            raise self.failure
        return Report()


@asynccontextmanager
async def rounds_of(
    world: World, daemon: Daemon, puller: SlowPuller, *, every_ms: int = HOUR_MS
) -> AsyncIterator[Rounds]:
    """Rounds of their own on the network of a daemon; `run` is up to the test."""
    limits = replace(world.limits, sync_every_ms=every_ms)
    rounds = Rounds(net=daemon.net, clock=world.clock, limits=limits, puller=puller)  # type: ignore[arg-type] # a small one
    try:
        yield rounds
    finally:
        await rounds.stop()


@asynccontextmanager
async def running(rounds: Rounds) -> AsyncIterator[None]:
    """With regular rounds."""
    task = asyncio.create_task(rounds.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def crowd_says_hello(rounds: Rounds, count: int = 4) -> None:
    """Slow strangers take the slots of those who say hello, and wait for more."""
    for number in range(count):
        rounds.greeted(b"slow %d" % number, HELLO)


async def test_slow_strangers_that_say_hello_do_not_stop_own_rounds(world: World) -> None:
    puller = SlowPuller(b"honest")
    async with rounds_of(world, await world.daemon(), puller) as rounds:
        crowd_says_hello(rounds)
        rounds.greeted(b"honest", HELLO)
        async with asyncio.timeout(DEADLINE_S):
            assert (await rounds.pull(b"honest")).end is End.IN_STEP
        assert len(puller.begun) == GREETED_AT_ONCE + 1


async def test_a_dialled_peer_does_not_wait_behind_those_that_said_hello(world: World) -> None:
    puller = SlowPuller(b"honest")
    async with rounds_of(world, await world.daemon(), puller) as rounds:
        crowd_says_hello(rounds)
        rounds.greeted(b"honest", HELLO)
        rounds.on_peer(PeerChange(b"honest", True, Direction.OUTBOUND))
        await until(lambda: b"honest" in puller.begun)
        assert len(puller.begun) == GREETED_AT_ONCE + 1


async def test_a_peer_dialled_while_its_hello_was_put_off_does_not_wait_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds_module, "AGAIN_MS", 20)
    bob = await world.daemon()
    alice, puller = await world.daemon(bob), SlowPuller(bob.identity.peer)
    async with rounds_of(world, alice, puller) as rounds:
        await rounds.pull(puller.honest)
        crowd_says_hello(rounds)
        rounds.greeted(puller.honest, HELLO)
        rounds.on_peer(PeerChange(puller.honest, True, Direction.OUTBOUND))
        await until(lambda: puller.begun.count(puller.honest) == 2)
        assert puller.begun.count(b"slow 0") <= 1


async def test_a_client_that_asks_for_a_refresh_does_not_wait_behind_those_that_said_hello(world: World) -> None:
    bob = await world.daemon()
    alice, puller = await world.daemon(bob), SlowPuller(bob.identity.peer)
    async with rounds_of(world, alice, puller) as rounds:
        crowd_says_hello(rounds)
        rounds.greeted(puller.honest, HELLO)
        assert await rounds.refresh() == 1


async def test_a_round_does_not_wait_for_ever_for_a_peer_that_never_ends(world: World) -> None:
    bob, mallory = await world.daemon(), await world.daemon()
    alice, puller = await world.daemon(bob, mallory), SlowPuller(bob.identity.peer)
    async with rounds_of(world, alice, puller, every_ms=20) as rounds, running(rounds):
        await until(lambda: puller.begun.count(puller.honest) >= 3)
        assert puller.begun.count(mallory.identity.peer) == 1


async def test_lost_lines_are_looked_for_until_a_peer_was_there_to_compare_with(world: World) -> None:
    alice, bob = await world.daemon(), await world.daemon()
    puller = SlowPuller(bob.identity.peer)
    async with rounds_of(world, alice, puller, every_ms=20) as rounds:
        rounds.compare_soon()
        async with running(rounds):
            await until(lambda: not rounds._compare.is_set())
            world.wire.link(alice.net, bob.net)
            await until(lambda: puller.begun)
    assert puller.compared[0] == puller.begun[0]


async def test_a_pull_that_fails_is_logged_and_ends_no_round(world: World) -> None:
    bob = await world.daemon()
    alice, puller = await world.daemon(bob), SlowPuller(bob.identity.peer)
    async with rounds_of(world, alice, puller) as rounds:
        puller.failure = OSError("a disk that fails")
        with capture_logs() as logged:
            assert await rounds.refresh() == 0
        assert [line["log_level"] for line in logged] == ["error"]
        puller.failure = None
        assert await rounds.refresh() == 1


async def test_nothing_is_read_after_the_end(world: World) -> None:
    bob = await world.daemon()
    alice, puller = await world.daemon(bob), SlowPuller(bytes(38))
    async with rounds_of(world, alice, puller) as rounds:
        asked = asyncio.create_task(rounds.refresh())
        await until(lambda: puller.begun)
        again = asyncio.create_task(rounds.refresh())
        await until(lambda: len(rounds._aside) == 2)
        await rounds.stop()
        rounds.greeted(b"late", HELLO)
        assert await asyncio.gather(asked, again) == [0, 0]
        assert (len(puller.begun), rounds._running, rounds._aside) == (1, {}, set())


async def test_a_conversation_that_brings_nothing_for_long_ends(world: World) -> None:
    daemon = await world.daemon()
    talk = Conversation(peer=b"slow", net=daemon.net, clock=world.clock, limits=world.limits, offend=daemon.net.offend)
    world.clock.forward(world.limits.idle_ms + 1)
    with pytest.raises(Stop) as stopped:
        await talk.ask(Hello(bytes(8), 0, 0, None), Greeting)
    assert stopped.value.end is End.SLOW


async def test_a_conversation_that_brings_one_statement_now_and_then_ends_too(world: World) -> None:
    bob = await world.daemon()
    alice = await world.daemon(bob)
    net = alice.net
    talk = Conversation(peer=bob.identity.peer, net=net, clock=world.clock, limits=world.limits, offend=net.offend)

    async def talk_of(*brought: int) -> None:
        for statements in brought:
            await talk.ask(Hello(bytes(16), 0, 0, None), Greeting)
            world.clock.forward(world.limits.idle_ms // 2)
            talk.report.stored += statements

    enough = world.limits.idle_statements
    with pytest.raises(Stop) as stopped:
        await talk_of(enough, enough, enough, enough, 1, 1, 1, 1)
    assert stopped.value.end is End.SLOW
    assert talk.report.rounds == 8
