"""Before it is known who is at the other end, little of what it sends is looked at."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from wsproto.events import BytesMessage

from p2p.node.node import NodeLife
from p2p.rates import EARLY_PAUSE_S, EARLY_READS, EarlyReads
from p2p.ways.websocket import EARLY_AT_ONCE, EARLY_FRAMES
from tests.p2p.nodes import identified, network
from tests.p2p.ways.test_websocket import WS, in_trio, upgraded


async def seconds_of(early: EarlyReads, reads: int) -> float:
    begun = trio.current_time()
    for _ in range(reads):
        await early.turn()
    return trio.current_time() - begun


def test_a_few_reads_are_made_at_once_and_then_one_now_and_then() -> None:
    async def run() -> tuple[float, float]:
        early = EarlyReads()
        return await seconds_of(early, EARLY_READS), await seconds_of(early, 100)

    assert in_trio(run) == (0, pytest.approx(100 * EARLY_PAUSE_S))


def test_a_peer_that_is_known_is_read_as_fast_as_it_sends() -> None:
    async def run() -> float:
        early = EarlyReads()
        early.over = True
        return await seconds_of(early, 1_000)

    assert in_trio(run) == 0


@pytest.mark.parametrize("known", [True, False])
def test_frames_of_an_unknown_sender_are_taken_slowly(known: bool) -> None:
    async def run() -> float:
        served, theirs, client = await upgraded()
        if known:
            served.known()
        frames = client.send(BytesMessage(b"x")) * (EARLY_AT_ONCE + 2 * EARLY_FRAMES)
        begun, taken = trio.current_time(), 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.send_all, frames)
            while taken < EARLY_AT_ONCE + 2 * EARLY_FRAMES:
                taken += len(await served.read())
        return trio.current_time() - begun

    assert (in_trio(run) > 1) is not known


@pytest.mark.network
@pytest.mark.parametrize("listens", [{}, WS], ids=["tcp", "websocket"])
async def test_a_peer_is_known_when_it_has_shown_who_it_is(listens: dict[str, Any]) -> None:
    async def all_known(life: NodeLife) -> list[bool]:
        connections: list[Any] = list(life.host.swarm.get_connections())
        streams = [conn.muxed_conn.secured_conn._raw.stream for conn in connections]
        return [stream.early.over for stream in streams]

    async with network(**listens) as anna, network(**listens) as bob:
        await anna.meet(bob)
        await identified(anna, bob)
        assert await anna.inside(all_known) == [True]
        assert await bob.inside(all_known) == [True]
