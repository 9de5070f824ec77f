"""Sessions as the signing benchmarks drive them, and what daemons count meanwhile."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.bench.signing_parts import Wallet, announce, finished, join, joined

SETTLE_S = 15  # trio's worker threads, which check many signatures at once, leave after ten seconds without work
KEPT, IDLE_S = 32, 90.0  # above so many connections unused ones are closed, after so long at the latest
COMMITS, FRAMES, STREAMS, TASKS = (
    "musigd_store_commits_total",
    "musigd_p2p_frames_sent_total",
    "musigd_p2p_streams",
    "musigd_tasks",
)


async def signed(wallets: Sequence[Wallet]) -> float:
    """One session, everybody joins at once; when the last signer has heard of the signature (loop time)."""
    request = await announce(wallets[0], wallets)
    await asyncio.gather(*(join(wallet, request) for wallet in wallets[1:]))
    return await finished(wallets, request)


async def one_session(wallets: Sequence[Wallet]) -> float:
    """Milliseconds from the last join call, all other joins known everywhere, until all heard of the signature."""
    request = await announce(wallets[0], wallets)
    await asyncio.gather(*(join(wallet, request) for wallet in wallets[1:-1]))
    await wallets[-1].hears("signing-request:received", request)
    await asyncio.gather(*(joined(wallet, request, len(wallets) - 1) for wallet in wallets))
    started = asyncio.get_running_loop().time()
    last = asyncio.create_task(join(wallets[-1], request))
    ended = await finished(wallets, request)
    await last
    return (ended - started) * 1000


async def one_floor(wallets: Sequence[Wallet]) -> float:
    """The same for the same hops and commits with nothing else."""
    session = secrets.token_hex(32)
    started = asyncio.get_running_loop().time()
    call = asyncio.create_task(wallets[-1].client.call("getSession", sessionId=session))
    ended = await finished(wallets, session)
    await call
    return (ended - started) * 1000


@dataclass(frozen=True, slots=True)
class Spent:
    """What one session took: milliseconds, and per daemon milliseconds of processor and frames sent."""

    ms: float
    processor_ms: float
    frames: float


async def spent(wallets: Sequence[Wallet]) -> Spent:
    """One session that everybody joins at once."""
    frames, processor = -await total(wallets, FRAMES), -sum(wallet.cpu_s() for wallet in wallets)
    started = asyncio.get_running_loop().time()
    took = await signed(wallets) - started
    processor += sum(wallet.cpu_s() for wallet in wallets)
    frames += await total(wallets, FRAMES)
    return Spent(1000 * took, 1000 * processor / len(wallets), frames / len(wallets))


async def total(wallets: Sequence[Wallet], name: str) -> float:
    """A metric of all daemons together."""
    return sum([(await wallet.metrics())[name] for wallet in wallets])


async def connections(wallets: Sequence[Wallet]) -> list[int]:
    """The connections of each of these daemons."""
    return [len((await wallet.client.call("listPeers"))["peers"]) for wallet in wallets]


async def connections_kept(wallets: Sequence[Wallet]) -> list[int]:
    """The same after those that nobody needs have had their time; of a small network none is closed."""
    if len(wallets) > KEPT:
        await asyncio.sleep(IDLE_S)
    return await connections(wallets)


async def held_open(wallet: Wallet) -> tuple[int, ...]:
    """What a daemon holds open: streams, tasks, threads, files."""
    found = await wallet.metrics()
    return int(found[STREAMS]), int(found[TASKS]), *wallet.threads_and_files()


async def held_open_again(wallet: Wallet, before: tuple[int, ...]) -> tuple[int, ...]:
    """The same after the connections of calls are closed, as soon as nothing is more than before."""
    await wallet.hang_up()
    now = await held_open(wallet)
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            while any(more > was for more, was in zip(now, before, strict=True)):
                await asyncio.sleep(0.1)
                now = await held_open(wallet)
    return now
