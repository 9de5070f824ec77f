"""The API beside a bare aiohttp handler, events to many subscribers, answers while sessions run."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from musigd_client import Client
from tests.bench import rpc_parts as parts
from tests.bench.cases.signing import driven, fleet_of
from tests.bench.harness import Case, Figure, Sample, Take

SECONDS, SECONDS_SMALL = 1.0, 0.2
EVENTS_PER_SECOND, EVENTS, EVENTS_SMALL = 100, 100, 20
ASK_EVERY_S = 0.01


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Connection, int, int]]:
    """A server of each kind in a process of its own on one core, this process on another; a pipe and the ports."""
    cores = os.sched_getaffinity(0)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=parts._process, args=(theirs, EVENTS_PER_SECOND), daemon=True
    )
    process.start()
    os.sched_setaffinity(0, {max(cores)})
    try:
        bare, real = await asyncio.to_thread(ours.recv)
        yield ours, bare, real
        ours.send(None)
        await asyncio.to_thread(process.join, 10)
    finally:
        os.sched_setaffinity(0, cores)
        process.kill()


@asynccontextmanager
async def _calls(folder: Path, small: bool) -> AsyncIterator[Take]:
    seconds = SECONDS_SMALL if small else SECONDS
    async with served() as (pipe, bare, real):

        async def take() -> Sample:
            sample: dict[str, float] = {}
            for which, port in (("bare ", bare), ("", real)):
                async with parts.http_connections(port, 10, "/rpc") as onces:
                    rate, cpu = await parts.throughput(pipe, onces, seconds)
                    sample |= {f"{which}HTTP calls": rate, f"{which}processor per HTTP call": cpu}
                async with parts.ws_connections(port, 10) as onces:
                    rate, cpu = await parts.throughput(pipe, onces, seconds)
                    sample |= {f"{which}WebSocket calls": rate, f"{which}processor per WebSocket call": cpu}
            return sample

        yield take


@asynccontextmanager
async def _fan_out(folder: Path, small: bool, *, subscribers: int) -> AsyncIterator[Take]:
    async with served() as (pipe, _, real):

        async def take() -> Sample:
            found = await parts.fan_out(real, pipe, subscribers, EVENTS_SMALL if small else EVENTS, stuck=True)
            assert found["complete_and_in_order"]
            return {"median": found["late_ms_median"], "99 of 100": found["late_ms_p99"]}

        yield take


@asynccontextmanager
async def _beside_sessions(folder: Path, small: bool) -> AsyncIterator[Take]:
    loop = asyncio.get_running_loop()

    async def asked(client: Client, until: asyncio.Future[Sample]) -> list[float]:
        took = []
        while not until.done():
            begun = loop.time()
            await client.get_info()
            took.append(1000 * (loop.time() - begun))
            await asyncio.sleep(ASK_EVERY_S)
        return sorted(took)

    async with fleet_of(folder, "lotus", 2) as wallets:

        async def take() -> Sample:
            idle: asyncio.Future[Sample] = loop.create_future()
            loop.call_later(SECONDS, idle.set_result, {})
            alone = await asked(wallets[0].client, idle)
            busy = asyncio.ensure_future(driven(wallets, 50, SECONDS_SMALL if small else 3 * SECONDS))
            beside = await asked(wallets[0].client, busy)
            return {
                "alone": alone[len(alone) // 2],
                "median": beside[len(beside) // 2],
                "99 of 100": beside[int(0.99 * len(beside))],
            }

        yield take


CASES = (
    Case(
        "rpc-calls",
        "getInfo over ten connections; the floor is a bare aiohttp handler in the same process",
        (
            Figure("processor per HTTP call", "us", "bare processor per HTTP call"),
            Figure("processor per WebSocket call", "us", "bare processor per WebSocket call"),
            Figure("HTTP calls", "per s", "bare HTTP calls", more=True),
            Figure("WebSocket calls", "per s", "bare WebSocket calls", more=True),
        ),
        _calls,
        pairs=9,
    ),
    *(
        Case(
            f"rpc-subscribers{count}",
            f"{EVENTS_PER_SECOND} events a second to {count} subscribers, and one that reads none: how late they come",
            (Figure("median", "ms"), Figure("99 of 100", "ms")),
            partial(_fan_out, subscribers=count),
            pairs=3,
            growth="subscribers",
            x=count,
        )
        for count in (1, 10, 100, 300, 1_000)
    ),
    Case(
        "rpc-beside-sessions",
        "getInfo every 10 ms while 50 sessions are open; the floor is the same daemon when idle",
        (Figure("median", "ms", "alone"), Figure("99 of 100", "ms", "alone")),
        _beside_sessions,
        pairs=5,
    ),
)
