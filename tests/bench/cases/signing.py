"""Sessions: latency beside the floor of their hops and commits, throughput of one pair, growth with signers."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain
from itertools import count as numbered
from pathlib import Path

from tests.bench.harness import Case, Figure, Sample, Take
from tests.bench.signing_floor import Floor
from tests.bench.signing_parts import Fleet, Wallet, announce, finished, join
from tests.bench.signing_sessions import (
    COMMITS,
    STREAMS,
    connections,
    connections_kept,
    held_open,
    held_open_again,
    one_floor,
    one_session,
    signed,
    spent,
    total,
)

SCHEMES = ("lotus", "bip340")
SECONDS, SECONDS_SMALL = 4.0, 1.0
LATER = 5  # sessions of a fleet after its first


@asynccontextmanager
async def new_fleet(folder: Path, scheme: str, count: int) -> AsyncIterator[list[Wallet]]:
    """Wallets of that many daemons that know each other's keys."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(folder, scheme)
    try:
        yield await fleet.start(count)
    finally:
        await fleet.stop()


@asynccontextmanager
async def fleet_of(folder: Path, scheme: str, count: int) -> AsyncIterator[list[Wallet]]:
    """The same, after one session together."""
    async with new_fleet(folder, scheme, count) as wallets:
        await signed(wallets)
        yield wallets


@asynccontextmanager
async def _latency(folder: Path, small: bool, *, scheme: str, count: int) -> AsyncIterator[Take]:
    floor, empty = Floor(folder / "floor", count), list[Wallet]()
    async with fleet_of(folder / "fleet", scheme, count) as wallets:
        try:
            await floor.start()
            empty += [await Wallet.open(datadir) for datadir in floor.folders]

            async def take() -> Sample:
                return {"floor": await one_floor(empty), "last join to signature": await one_session(wallets)}

            yield take
        finally:
            for wallet in empty:
                await wallet.close()
            await floor.stop()


@asynccontextmanager
async def _throughput(folder: Path, small: bool, *, scheme: str, width: int) -> AsyncIterator[Take]:
    async with fleet_of(folder, scheme, 2) as wallets:
        yield partial(driven, wallets, width, SECONDS_SMALL if small else SECONDS)


async def driven(wallets: Sequence[Wallet], width: int, seconds: float) -> Sample:
    """`width` sessions open at any time, for so long."""
    loop = asyncio.get_running_loop()
    commits = -await total(wallets, COMMITS)
    cpu, started = -sum(wallet.cpu_s() for wallet in wallets), loop.time()
    counted = 0

    async def one_after_another() -> None:
        nonlocal counted
        while loop.time() < started + seconds:
            await signed(wallets)
            counted += 1

    await asyncio.gather(*(one_after_another() for _ in range(width)))
    took = loop.time() - started
    cpu += sum(wallet.cpu_s() for wallet in wallets)
    commits += await total(wallets, COMMITS)
    return {
        "sessions": counted / took,
        "processor per session and daemon": 1000 * cpu / counted / len(wallets),
        "commits per session and daemon": commits / counted / len(wallets),
    }


@asynccontextmanager
async def _growth(folder: Path, small: bool, *, count: int) -> AsyncIterator[Take]:
    numbers = numbered()

    async def take() -> Sample:
        async with new_fleet(folder / f"fleet{next(numbers)}", "lotus", count) as wallets:
            first = await spent(wallets)
            later = [await spent(wallets) for _ in range(1 if small else LATER)]
            return {
                "announced to signed": statistics.median(one.ms for one in later),
                "first announced to signed": first.ms,
                "processor per session and daemon": statistics.median(one.processor_ms for one in later),
                "processor of the first": first.processor_ms,
                "frames per session and daemon": statistics.median(one.frames for one in later),
                "connections with frames": await total(wallets, STREAMS) / 2,
                "connections of one daemon": statistics.mean(await connections(wallets)),
                "connections kept": statistics.mean(await connections_kept(wallets)),
            }

    yield take


@asynccontextmanager
async def _burst(folder: Path, small: bool) -> AsyncIterator[Take]:
    """Many sessions started at once; streams, tasks, threads and files afterwards are what they were before."""
    many = 30 if small else 300
    async with fleet_of(folder, "lotus", 2) as wallets:

        async def take() -> Sample:
            before = [await held_open(wallet) for wallet in wallets]
            started = asyncio.get_running_loop().time()
            requests = await asyncio.gather(*(announce(wallets[0], wallets) for _ in range(many)))
            await asyncio.gather(*(join(wallets[1], request) for request in requests))
            await asyncio.gather(*(finished(wallets, request) for request in requests))
            took = asyncio.get_running_loop().time() - started
            after = [await held_open_again(wallet, was) for wallet, was in zip(wallets, before, strict=True)]
            pairs = zip(chain.from_iterable(before), chain.from_iterable(after), strict=True)
            kept = sum(max(0, now - was) for was, now in pairs)
            return {"all signed": took, "streams, tasks, threads, files more than before": kept}

        yield take


LATENCY = tuple(
    Case(
        f"signing-{count}of{count}-{scheme}",
        f"{count}-of-{count}, {scheme}: last join to signature at every signer; the floor has its hops and commits",
        (Figure("last join to signature", "ms", "floor", aim=1.4),),
        partial(_latency, scheme=scheme, count=count),
        pairs=40,
        warmup=5,
        outside=True,
    )
    for scheme in SCHEMES
    for count in (2, 3, 5)
)
OPEN = tuple(
    Case(
        f"signing-open{width}-{scheme}",
        f"2-of-2, {scheme}: {width} sessions open at any time between two daemons",
        (
            Figure("sessions", "per s", more=True),
            Figure("processor per session and daemon", "ms"),
            Figure("commits per session and daemon", ""),
        ),
        partial(_throughput, scheme=scheme, width=width),
        pairs=5,
        outside=True,
        growth=f"open-{scheme}",
        x=width,
    )
    for scheme, widths in (("lotus", (1, 5, 10, 25, 50)), ("bip340", (50,)))
    for width in widths
)
SIGNERS = tuple(
    Case(
        f"signing-signers{count}",
        f"{count} new daemons, lotus: announced to signed everywhere, all join at once; median of five after the first",
        (
            Figure("announced to signed", "ms"),
            Figure("first announced to signed", "ms"),
            Figure("processor per session and daemon", "ms"),
            Figure("processor of the first", "ms"),
            Figure("frames per session and daemon", ""),
            Figure("connections with frames", ""),
            Figure("connections of one daemon", ""),
            Figure("connections kept", ""),
        ),
        partial(_growth, count=count),
        pairs=pairs,
        warmup=0,
        outside=True,
        growth="signers",
        x=count,
    )
    for count, pairs in ((2, 5), (5, 5), (10, 3), (20, 3), (50, 1))
)
BURST = Case(
    "signing-burst",
    "300 sessions of one pair announced at once: all are signed, and nothing is held that was not held before",
    (Figure("all signed", "s"), Figure("streams, tasks, threads, files more than before", "", aim=0)),
    _burst,
    pairs=3,
    outside=True,
)
CASES = (*LATENCY, *OPEN, BURST, *SIGNERS)
