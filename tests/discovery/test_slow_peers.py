"""Peers that answer slowly keep nobody from synchronising with others."""

from __future__ import annotations

import asyncio

import pytest
from discovery_world import DEADLINE_S, World

from daemon.discovery.conversation import Conversation, End, Report, Stop
from daemon.discovery.rounds import GREETED_AT_ONCE, Rounds
from musig2.protocol.sync import Greeting, Hello


class SlowPuller:
    """Pulls that end only for the honest peer."""

    def __init__(self, honest: bytes) -> None:
        self.honest = honest
        self.begun: list[bytes] = []

    def is_behind(self, peer: bytes, hello: Hello) -> bool:
        return True

    async def pull(self, peer: bytes, *, compare: bool = False) -> Report:
        self.begun.append(peer)
        if peer != self.honest:
            await asyncio.get_running_loop().create_future()
        return Report()


async def test_slow_strangers_that_say_hello_do_not_stop_own_rounds(world: World) -> None:
    daemon = await world.daemon()
    puller = SlowPuller(b"honest")
    rounds = Rounds(net=daemon.net, clock=world.clock, limits=world.limits, puller=puller)  # type: ignore[arg-type] # a small one
    hello = Hello(bytes(8), 1_000_000, 0, None)
    for number in range(4):
        rounds.greeted(b"slow %d" % number, hello)
    rounds.greeted(b"honest", hello)
    async with asyncio.timeout(DEADLINE_S):
        assert (await rounds.pull(b"honest")).end is End.IN_STEP
    assert len(puller.begun) == GREETED_AT_ONCE + 1
    await rounds.stop()


async def test_a_conversation_that_brings_nothing_for_long_ends(world: World) -> None:
    daemon = await world.daemon()
    talk = Conversation(peer=b"slow", net=daemon.net, clock=world.clock, limits=world.limits, offend=daemon.net.offend)
    world.clock.forward(world.limits.idle_ms + 1)
    with pytest.raises(Stop) as stopped:
        await talk.ask(Hello(bytes(8), 0, 0, None), Greeting)
    assert stopped.value.end is End.SLOW
