"""What signing costs: real daemons as processes on loopback, driven over the RPC.

    .venv/bin/python -m tests.bench.bench_signing [--small] [--schemes lotus,bip340] [SECTION]...

Sections: latency throughput burst growth. Latency is from the last join call to `signature:finalized` at every signer,
beside a floor measured in the same run: the same hops and commits with nothing else (signing_floor.py).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import secrets
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.signing_floor import Floor
from tests.bench.signing_parts import Fleet, Wallet, announce, finished, join, joined

SETTLE_S = 5
WARM = 5  # requests after the first
AIMS_MS = {2: 8, 3: 14, 5: 28}
COMMITS, FRAMES, STREAMS, TASKS = (
    "musigd_store_commits_total",
    "musigd_p2p_frames_sent_total",
    "musigd_p2p_streams",
    "musigd_tasks",
)


def say(what: str, value: str, aim: str = "") -> None:
    print(f"  {what:<58}{value:>26}{'   aim: ' + aim if aim else ''}", flush=True)


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


async def latency(folder: Path, scheme: str, args: argparse.Namespace) -> None:
    """Medians for 2, 3 and 5 signers, each session in turn with one of the floor."""
    runs = 10 if args.small else 50
    for count, aim in AIMS_MS.items():
        floor, fleet = Floor(folder / f"floor{count}", count), Fleet(_made(folder / f"latency{count}"), scheme)
        empty: list[Wallet] = []
        try:
            await floor.start()
            empty += [await Wallet.open(datadir) for datadir in floor.folders]
            wallets = await fleet.start(count)
            pairs = [(await one_floor(empty), await one_session(wallets)) for _ in range(runs + 5)][5:]
        finally:
            for wallet in empty:
                await wallet.close()
            await floor.stop()
            await fleet.stop()
        lowest, found = ([pair[which] for pair in pairs] for which in (0, 1))
        median, ninety = statistics.median(found), sorted(found)[int(0.9 * len(found))]
        say(f"{count}-of-{count} {scheme}: median, 90 %", f"{median:.1f} ms, {ninety:.1f} ms", f"{aim} ms")
        bottom = statistics.median(lowest)
        say(f"{count}-of-{count} floor, ratio", f"{bottom:.1f} ms, {median / bottom:.2f}", "2.0")


async def throughput(folder: Path, scheme: str, args: argparse.Namespace) -> None:
    """Sessions per second of one pair with 10 and 50 open at any time."""
    seconds = 5 if args.small else 30
    for width in (10, 50):
        fleet = Fleet(_made(folder / f"throughput{width}"), scheme)
        try:
            wallets = await fleet.start(2)
            await one_session(wallets)
            await _drive(wallets, width, seconds, scheme)
        finally:
            await fleet.stop()


async def _drive(wallets: Sequence[Wallet], width: int, seconds: float, scheme: str) -> None:
    loop = asyncio.get_running_loop()
    counted = 0
    until = loop.time() + seconds

    async def worker() -> None:
        nonlocal counted
        while loop.time() < until:
            request = await announce(wallets[0], wallets)
            await join(wallets[1], request)
            await finished(wallets, request)
            counted += 1

    commits = [-(await wallet.metrics())[COMMITS] for wallet in wallets]
    cpu, started = sum(wallet.cpu_s() for wallet in wallets), loop.time()
    await asyncio.gather(*(worker() for _ in range(width)))
    took = loop.time() - started
    cpu = sum(wallet.cpu_s() for wallet in wallets) - cpu
    commits += [(await wallet.metrics())[COMMITS] for wallet in wallets]
    say(f"2-of-2 {scheme}, {width} open: sessions/s, none lost", f"{counted / took:.0f}", "120, then 300")
    each = sum(commits) / counted / len(wallets)
    say("   CPU per session, both daemons; commits at each", f"{1000 * cpu / counted:.1f} ms; {each:.2f}")


async def burst(folder: Path, scheme: str, args: argparse.Namespace) -> None:
    """Many sessions started at once all end; threads and files afterwards are what they were before."""
    count = 60 if args.small else 300
    fleet = Fleet(_made(folder / "burst"), scheme)
    try:
        wallets = await fleet.start(2)
        await one_session(wallets)
        before = [await _open(wallet) for wallet in wallets]
        started = asyncio.get_running_loop().time()
        requests = await asyncio.gather(*(announce(wallets[0], wallets) for _ in range(count)))
        await asyncio.gather(*(join(wallets[1], request) for request in requests))
        await asyncio.gather(*(finished(wallets, request) for request in requests))
        took = asyncio.get_running_loop().time() - started
        after = [await _open_again(wallet, was) for wallet, was in zip(wallets, before, strict=True)]
    finally:
        await fleet.stop()
    say(f"{count} sessions at once ({scheme}): all signed after", f"{took:.1f} s")
    for name, one, other in zip("ab", before, after, strict=True):
        say(f"   daemon {name}: streams, tasks, threads, files: before; after", f"{one}; {other}")


async def _open(wallet: Wallet) -> str:
    """What a daemon holds open: streams, tasks, threads, files."""
    found = await wallet.metrics()
    return " ".join(f"{number:.0f}" for number in (found[STREAMS], found[TASKS], *wallet.threads_and_files()))


async def _open_again(wallet: Wallet, before: str) -> str:
    """The same after the connections of the burst are closed; a daemon may take a moment to notice."""
    await wallet.hang_up()
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            while await _open(wallet) != before:
                await asyncio.sleep(0.1)
    return await _open(wallet)


async def growth(folder: Path, scheme: str, args: argparse.Namespace) -> None:
    """The whole way with more and more signers: the first request of a fleet, then more of the same signers."""
    for count in args.counts or ((2, 3, 5, 10) if args.small else (2, 3, 5, 10, 20)):
        fleet = Fleet(_made(folder / f"growth{count}"), scheme)
        try:
            wallets = await fleet.start(count)
            met = await _connections(wallets)
            cold = await _measured(wallets)
            warm = [await _measured(wallets) for _ in range(WARM)]
            connected, streams = await _connections(wallets), await _total(wallets, STREAMS) / 2
        finally:
            await fleet.stop()
        aims = ("1.5 s", "0.5 s") if count == 20 else ("", "")
        say(f"{count} signers ({scheme}): first request, announce to signed", f"{cold[0]:.2f} s", aims[0])
        middle = [statistics.median(found) for found in zip(*warm, strict=True)]
        say("   a later one, median", f"{middle[0]:.2f} s", aims[1])
        say("   CPU of all daemons: first; later", f"{cold[1]:.2f} s; {middle[1]:.2f} s")
        say("   frames per daemon: first; later", f"{cold[2] / count:.0f}; {middle[2] / count:.0f}")
        say("   connections before; after, and those with frames", f"{met}; {connected}, {streams:.0f}")


async def _measured(wallets: Sequence[Wallet]) -> tuple[float, float, float]:
    """One request that everybody joins at once: seconds, processor seconds of all daemons, frames."""
    sent = -await _total(wallets, FRAMES)
    cpu, started = sum(wallet.cpu_s() for wallet in wallets), asyncio.get_running_loop().time()
    request = await announce(wallets[0], wallets)
    await asyncio.gather(*(join(wallet, request) for wallet in wallets[1:]))
    took = await finished(wallets, request) - started
    cpu = sum(wallet.cpu_s() for wallet in wallets) - cpu
    return took, cpu, sent + await _total(wallets, FRAMES)


async def _total(wallets: Sequence[Wallet], name: str) -> float:
    return sum([(await wallet.metrics())[name] for wallet in wallets])


async def _connections(wallets: Sequence[Wallet]) -> int:
    return sum([len((await wallet.client.call("listPeers"))["peers"]) for wallet in wallets]) // 2


def _counts(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


SECTIONS = {"latency": latency, "throughput": throughput, "burst": burst, "growth": growth}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="all when none is named")
    parser.add_argument("--small", action="store_true", help="a tenth of the work")
    parser.add_argument("--counts", type=_counts, help="how many signers, for growth: 2,20,50")
    parser.add_argument("--schemes", default="lotus,bip340")
    parser.add_argument("--folder", type=Path, help="where the databases live; a temporary directory when absent")
    args = parser.parse_args()
    gc.freeze()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="bench-signing-") as folder:
        for scheme in args.schemes.split(","):
            for name in args.sections or SECTIONS:
                print(f"{name}, {scheme}", flush=True)
                await SECTIONS[name](Path(folder) / scheme / name, scheme, args)


if __name__ == "__main__":
    asyncio.run(main())
