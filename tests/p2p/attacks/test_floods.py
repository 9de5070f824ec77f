"""Silent peers and floods of streams and connections do not disturb other peers."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
import trio
from libp2p.peer.id import ID

from p2p.compat import kad_host
from p2p.compat.yamux import MAX_INBOUND_STREAMS
from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import Signer, have

pytestmark = pytest.mark.network
PROTOCOLS = ("session/1", "directory/1", "kad/1")


@contextlib.asynccontextmanager
async def trio_task(node: TestNode, run: Any) -> AsyncIterator[None]:
    """`run(node)` goes on inside the node until the block ends."""
    task = asyncio.create_task(node.inside(run))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def works(one: TestNode, other: TestNode) -> None:
    """Assert that frames and questions go through."""
    count = len(other.sink.frames)
    assert one.send(other.peer, [have(count)])
    await other.sink.until(lambda: len(other.sink.frames) > count)
    assert await one.ask(other.peer, b"ping", 60_000) == b"gnip"


def flood_streams(target: bytes, network: str, opened: list[int]) -> Any:
    """Open streams of every protocol as fast as they open, and say nothing on them."""

    async def flood(node: Any) -> None:
        async def open_for_ever(protocol: str) -> None:
            while True:
                try:
                    await node.host.new_stream(ID(target), [protocol])
                    opened[0] += 1
                except Exception:
                    await trio.sleep(0.001)

        async with trio.open_nursery() as nursery:
            for protocol in (*(f"/musigd/{network}/{name}" for name in PROTOCOLS), "/ipfs/ping/1.0.0"):
                for _ in range(4):
                    nursery.start_soon(open_for_ever, protocol)

    return flood


async def test_a_flood_of_streams_is_bounded_and_disturbs_nobody() -> None:
    async with networks(3) as (mallory, ben, anna):
        await mallory.meet(ben)
        await anna.meet(ben)
        opened = [0]
        async with trio_task(mallory, flood_streams(ben.peer, ben._config.network, opened)):
            await eventually(lambda: _true(opened[0] >= MAX_INBOUND_STREAMS // 2))
            for _ in range(5):
                await works(anna, ben)
                await works(ben, anna)
            held = await ben.inside(
                lambda node: len(node.host.swarm.get_connections(ID(mallory.peer))[0].get_streams())
            )
            assert held <= 2 * MAX_INBOUND_STREAMS
        assert ben.alive


async def _true(value: bool) -> bool:
    return value


@contextlib.asynccontextmanager
async def knocking(node: TestNode, hosts: Sequence[str]) -> AsyncIterator[Callable[[], int]]:
    """From each of these addresses somebody connects, says nothing, and comes again; how often they came."""
    port, came = int(node.address.split("/")[4]), 0

    async def knock_for_ever(host: str) -> None:
        nonlocal came
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
                came += 1
                await reader.read()
                writer.close()

    tasks = [asyncio.create_task(knock_for_ever(host)) for host in hosts]
    try:
        yield lambda: came
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_flood_of_connections_that_come_again_at_once_keeps_nobody_out() -> None:
    async with (
        networks(2, max_pending_per_ip=4, upgrade_timeout_ms=60_000) as (anna, ben),
        knocking(ben, ["127.0.0.2"] * 200) as came,
    ):
        await eventually(lambda: _true(came() >= 1_000))
        await anna.meet(ben)
        await works(anna, ben)
        assert (await ben.stats()).tasks < 1_000


async def test_three_hundred_addresses_that_come_again_and_again_keep_nobody_out() -> None:
    hosts = [f"127.1.{number // 250}.{1 + number % 250}" for number in range(300)]
    async with networks(2, upgrade_timeout_ms=500) as (anna, ben), knocking(ben, hosts) as came:
        await eventually(lambda: _true(came() >= 2 * len(hosts)))
        await anna.meet(ben)
        await works(anna, ben)
        assert ben.connected(anna.peer)


async def test_a_peer_that_never_answers_makes_no_lookup_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kad_host, "ANSWER_S", 4.0)
    async with networks(3) as (anna, ben, mute):
        await mute.inside(keep_silent)
        await mute.meet(anna)
        await anna.meet(ben)

        async def filled() -> bool:
            return (await anna.stats()).dht_peers == 2

        await eventually(filled)
        signer = Signer()
        signed = signer.advertise()
        assert await ben.dht_put(signer.key.pubkey, signed.envelope)
        await anna.inside(lambda node: node.dht.service.value_store.store.clear())
        assert await anna.dht_get(signer.key.pubkey) == signed.envelope
        assert (await anna.stats()).dht_peers == 1
        await works(anna, ben)


def keep_silent(node: Any) -> None:
    """Take streams of the DHT and say nothing."""

    async def silence(_: Any) -> None:
        await trio.sleep_forever()

    node.dht.service._kad_host.set_stream_handler("/ipfs/kad/1.0.0", silence)


async def test_a_peer_that_never_says_who_it_is_is_no_peer_for_anything() -> None:
    async with networks(3) as (anna, ben, mute):
        await mute.inside(lambda node: node.host.set_stream_handler("/ipfs/id/1.0.0", _silence))
        await mute.connect(anna.address)
        await anna.meet(ben)
        await works(anna, ben)
        assert await anna.dht_get(secrets.token_bytes(33)) is None

        async def only_ben() -> bool:
            return (await anna.stats()).dht_peers == 1

        await eventually(only_ben)


async def _silence(_: Any) -> None:
    await trio.sleep_forever()
