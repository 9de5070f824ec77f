"""Taking in, coming into step, being heard, and what the network carries as it grows."""

from __future__ import annotations

import asyncio
import random
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from daemon.demo.processes import Daemons
from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.own.rows import AdvertisedTerms
from daemon.discovery.sync.items import item_of, open_items
from musig2.protocol.records.envelope import check_many
from musigd_client import Client
from rpc.caller import owner
from rpc.models.advertisements import FindAvailableSigners
from tests.bench.discovery_parts import Node, put, signers, stopwatch
from tests.bench.harness import Case, Figure, Sample, Take

PAGE = 620  # statements in one answer of a peer
HOUR_MS = 3_600_000
SPREAD_S, SPREAD_S_SMALL = 5.0, 1.0


@asynccontextmanager
async def running(path: Path, network: str) -> AsyncIterator[Node]:
    """A node that only discovers."""
    node = Node(path, network)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@asynccontextmanager
async def _ingest(folder: Path, small: bool) -> AsyncIterator[Take]:
    """Decode, four checks with three signatures, entry, store."""
    many, numbers = 200 if small else 2_000, count()
    items = [item_of(statement) for statement in signers(many, genuine=True)]

    async def take() -> Sample:
        bare: dict[str, float] = {}
        whole: dict[str, float] = {}
        records = open_items(items)
        with stopwatch(bare):
            assert all(check_many(records))
        async with running(folder / f"ingest{next(numbers)}.sqlite", "bench") as node:
            with stopwatch(whole):
                for start in range(0, many, PAGE):
                    opened = await asyncio.to_thread(open_items, items[start : start + PAGE])
                    await node.service._ingest.take(opened, origin=RecordOrigin.SYNC, peer=bytes(38))
            assert node.count() == many
        return {
            "processor per advertisement": 1e6 * whole["cpu"] / many,
            "its signatures": 1e6 * bare["cpu"] / many,
            "taken in by the clock": many / whole["wall"],
        }

    yield take


@asynccontextmanager
async def _heard(folder: Path, small: bool) -> AsyncIterator[Take]:
    """The call at one daemon until the event at a WebSocket of another, by way of a third."""
    loop, heard = asyncio.get_running_loop(), dict[str, asyncio.Future[float]]()

    async def listen(client: Client) -> None:
        async for event in client.events(events=["signer:discovered"]):
            key = event["data"]["advertisement"]["publicKey"]
            heard.setdefault(key, loop.create_future()).set_result(time.perf_counter())

    daemons = Daemons(folder, "bench" + secrets.token_hex(3))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(daemons.stop)
        clients, first = [], list[str]()
        for name in ("middle", "asks", "hears"):
            daemon = await daemons.start(name, first)
            first = first or [daemon.multiaddr]
            clients.append(await stack.enter_async_context(await Client.connect(datadir=daemon.datadir)))
        _, asks, hears = clients
        await hears.call("subscribeToSignerDiscovery", transactionTypes=["swap"])
        listening = asyncio.ensure_future(listen(hears))
        stack.callback(listening.cancel)
        await asyncio.sleep(2 if small else 5)

        async def take() -> Sample:
            key = (await asks.call("createKey", scheme="lotus"))["publicKey"]
            begun = time.perf_counter()
            await asks.call("advertiseSigner", publicKey=key, criteria={"transactionTypes": ["swap"]})
            when = await asyncio.wait_for(heard.setdefault(key, loop.create_future()), 60)
            await asyncio.sleep(0.05)
            return {"advertised to discovered": 1000 * (when - begun)}

        yield take


@asynccontextmanager
async def _step(folder: Path, small: bool, *, many: int) -> AsyncIterator[Take]:
    """Two nodes with much in common that differ in ten, five on each side."""
    size = many // 10 if small else many
    await put(folder / "common.sqlite", signers(size, genuine=False))
    shutil.copy(folder / "common.sqlite", folder / "twin.sqlite")
    async with running(folder / "common.sqlite", "bench") as a, running(folder / "twin.sqlite", "bench") as b:
        for node in (a, b):
            node.service._rounds._soon = lambda _, **__: None  # type: ignore[method-assign] # only the measured pull
            node.service._rounds.grew = lambda: None  # type: ignore[method-assign] # as above
        await a.dial(b)
        while not b.network.connected(a.identity.peer):
            await asyncio.sleep(0.01)

        async def take() -> Sample:
            for node in (a, b):
                items = [item_of(one) for one in signers(5, genuine=True, seed=secrets.randbits(64))]
                await node.service._ingest.take(open_items(items), origin=RecordOrigin.SYNC)
            expected, begun = a.count() + 5, time.perf_counter()
            pulls = [one.service._puller.pull(other.identity.peer, compare=True) for one, other in ((a, b), (b, a))]
            reports = await asyncio.gather(*pulls)
            took = 1000 * (time.perf_counter() - begun)
            assert (a.count(), b.count()) == (expected, expected)
            return {"in step": took, "bytes": sum(one.bytes_in + one.bytes_out for one in reports) / 1024}

        yield take


@asynccontextmanager
async def _newcomer(folder: Path, small: bool, *, many: int) -> AsyncIterator[Take]:
    """An empty node and one peer, which got everything from others that have left."""
    size, numbers = many // 10 if small else many, count()
    await put(folder / "full.sqlite", signers(size, genuine=True))
    async with running(folder / "full.sqlite", "bench") as full:

        async def take() -> Sample:
            async with running(folder / f"fresh{next(numbers)}.sqlite", "bench") as fresh:
                begun = time.perf_counter()
                await fresh.dial(full)
                while fresh.count() < size:
                    await asyncio.sleep(0.005)
                return {"knows all": time.perf_counter() - begun}

        yield take


@asynccontextmanager
async def _refresh(folder: Path, small: bool) -> AsyncIterator[Take]:
    """findAvailableSigners with refresh, when three peers each have something new."""
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(running(folder / f"{index}.sqlite", "bench")) for index in range(4)]
        asker, *peers = nodes
        for peer in peers:
            await asker.dial(peer)

        async def take() -> Sample:
            for peer in peers:
                statement = next(signers(1, genuine=True, seed=secrets.randbits(64)))
                await peer.service._ingest.take(open_items([item_of(statement)]), origin=RecordOrigin.SYNC)
            begun = time.perf_counter()
            await asker.service.methods.find_available_signers(owner(), FindAvailableSigners(refresh=True))
            return {"refreshed": 1000 * (time.perf_counter() - begun)}

        yield take


def loopback() -> tuple[int, int]:
    """Bytes and packets that went over this network namespace's loopback."""
    fields = next(line for line in Path("/proc/net/dev").read_text().splitlines() if "lo:" in line).split()
    return int(fields[1]), int(fields[2])


@asynccontextmanager
async def _network(folder: Path, small: bool, *, nodes: int) -> AsyncIterator[Take]:
    """Each node dials three others and follows the type. Idling comes in bursts, so it is beside, not taken off."""
    async with AsyncExitStack() as stack:
        started = list[Node]()
        for index in range(nodes):
            node = await stack.enter_async_context(running(folder / f"{index}.sqlite", "bench"))
            for other in random.sample(started, min(3, index)):
                await node.dial(other)
            started.append(node)
            await node.service._follows.add("bench", ["swap"])
            await node.service._topics.follow()
        await asyncio.sleep(2 if small else 6)
        yield partial(_carried, started, count(), SPREAD_S_SMALL if small else SPREAD_S)


async def _carried(nodes: list[Node], numbers: Any, seconds: float) -> Sample:
    idle = await _over(seconds)
    node = nodes[next(numbers) % len(nodes)]
    before, begun = nodes[0].count(), time.perf_counter()
    terms = AdvertisedTerms({"transactionTypes": ["swap"]}, {}, 24 * HOUR_MS)

    async def advertise() -> None:
        await node.service._own.advertise(node.keys.create(), terms)
        while min(one.count() for one in nodes) <= before:
            await asyncio.sleep(0.005)

    spreading = asyncio.ensure_future(advertise())
    carried = await _over(seconds, spreading)
    await spreading
    took = time.perf_counter() - begun
    return {
        "bytes per node": carried[0] / 1024 / len(nodes),
        "packets per node": carried[1] / len(nodes),
        "known to all within": min(took, seconds),
        "idle per node": idle[0] / seconds / 1024 / len(nodes),
    }


async def _over(seconds: float, also: asyncio.Future[None] | None = None) -> tuple[int, int]:
    """Bytes and packets within so many seconds, or until `also` is done if that takes longer."""
    before = loopback()
    await asyncio.sleep(seconds)
    if also is not None:
        await also
    after = loopback()
    return after[0] - before[0], after[1] - before[1]


def _in_step(many: int) -> Callable[..., Any]:
    return partial(_step, many=many)


CASES = (
    Case(
        "discovery-ingest",
        "advertisements with their entries, checked and stored, 620 at a time; the floor is their signature checks",
        (
            Figure("processor per advertisement", "us", "its signatures", aim=1.5),
            Figure("taken in by the clock", "per s", more=True),
        ),
        _ingest,
        pairs=7,
    ),
    Case(
        "discovery-heard",
        "advertiseSigner at one daemon to signer:discovered at another, which both know a third",
        (Figure("advertised to discovered", "ms", aim=15),),
        _heard,
        pairs=40,
        warmup=3,
    ),
    *(
        Case(
            f"discovery-step{many}",
            f"two nodes with {many:,} advertisements each that differ in ten come into step",
            (Figure("in step", "ms", aim=100), Figure("bytes", "KiB", aim=aim)),
            _in_step(many),
            pairs=5,
        )
        for many, aim in ((10_000, 32), (100_000, 128))
    ),
    *(
        Case(
            f"discovery-newcomer{many}",
            f"an empty node gets {many:,} advertisements from its one peer, and checks them all",
            (Figure("knows all", "s", aim=aim),),
            partial(_newcomer, many=many),
            pairs=3,
            warmup=0,
        )
        for many, aim in ((1_000, 10), (10_000, 15))
    ),
    Case(
        "discovery-refresh",
        "findAvailableSigners with refresh, when three peers each have something new",
        (Figure("refreshed", "ms", aim=2_000),),
        _refresh,
        pairs=9,
    ),
    *(
        Case(
            f"discovery-nodes{nodes}",
            f"{nodes} nodes that follow a type, three dialled by each: what one advertisement costs",
            (
                Figure("bytes per node", "KiB"),
                Figure("packets per node", ""),
                Figure("idle per node", "KiB/s"),
            ),
            partial(_network, nodes=nodes),
            pairs=3,
            alone=True,
            growth="daemons",
            x=nodes,
        )
        for nodes in (3, 5, 10, 20)
    ),
)
