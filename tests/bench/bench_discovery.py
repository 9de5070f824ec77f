"""Measures discovery on real libp2p nodes on loopback: intake, search, synchronisation, events.

    .venv/bin/python -m tests.bench.bench_discovery [--small] [SECTION]...

Sections: ingest find reconcile newcomer refresh latency growth. Each prints its figures beside their targets.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from daemon.commands.run import SWITCH_SECONDS
from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.sync.items import item_of, open_items
from musig2.protocol.records.envelope import check_many
from tests.bench.discovery_parts import PURPOSES, TYPES, Node, put, quantile, resident_mib, signers, stopwatch

SMALL = False
PAGE = 620  # statements in one answer of a peer


def say(what: str, value: str, aim: str = "") -> None:
    print(f"  {what:<62}{value:>34}{'   aim: ' + aim if aim else ''}", flush=True)


def sized(full: int, small: int) -> int:
    return small if SMALL else full


# Taking in


async def ingest(path: Path) -> None:
    """Decode, four checks with three signatures, entry, store; beside the bare signature checks."""
    count = sized(10_000, 1_000)
    items = [item_of(statement) for statement in signers(count, genuine=True)]
    gc.collect()
    gc.freeze()
    bare: dict[str, float] = {}
    records = open_items(items)
    with stopwatch(bare):
        assert all(check_many(records))
    node = Node(path / "ingest.sqlite", "bench")
    await node.start()
    whole: dict[str, float] = {}
    with stopwatch(whole):
        for start in range(0, count, PAGE):
            opened = await asyncio.to_thread(open_items, items[start : start + PAGE])
            await node.service._ingest.take(opened, origin=RecordOrigin.SYNC, peer=bytes(38))
    assert node.count() == count
    await node.stop()
    gc.unfreeze()
    say(f"verified ingest of {count:,}, per second of CPU", f"{count / whole['cpu']:,.0f}/s", "4,000 to 6,000/s")
    say("the same by the clock (all cores)", f"{count / whole['wall']:,.0f}/s")
    say("floor: its bare signature checks, per second of CPU", f"{count / bare['cpu']:,.0f}/s")
    say("cost over the floor", f"{whole['cpu'] / bare['cpu']:.2f} times")
    say("bytes of an advertisement with its entry", f"{sum(len(a) + len(b or b'') for a, b in items) / count:,.0f}")


# Finding


async def find(path: Path) -> None:
    """findAvailableSigners over a large directory, inside the daemon."""
    count = sized(100_000, 10_000)
    await put(path / "find.sqlite", signers(count, genuine=False))
    gc.collect()
    empty = Node(path / "empty.sqlite", "bench")
    await empty.start()
    await empty.stop()
    before = resident_mib()
    node = Node(path / "find.sqlite", "bench")
    await node.start()
    await asyncio.sleep(0)
    dice = random.Random(3)
    amount = lambda: int(10 ** dice.uniform(1, 13))  # noqa: E731 - drawn anew for each question
    questions: dict[str, Any] = {
        "no filter": dict,
        "type": lambda: {"transaction_type": dice.choice(TYPES)},
        "scheme": lambda: {"scheme": dice.choice(("lotus", "bip340"))},
        "purpose": lambda: {"purpose": dice.choice((*PURPOSES, "unheard of"))},
        "one amount": lambda: {"min_amount": amount()},
        "two amounts": lambda: {"min_amount": (low := amount()), "max_amount": 10 * low},
        "type, amount": lambda: {"transaction_type": dice.choice(TYPES), "min_amount": amount()},
        "type, purpose, scheme, amount": lambda: {
            "transaction_type": dice.choice(TYPES),
            "purpose": dice.choice(PURPOSES),
            "scheme": dice.choice(("lotus", "bip340")),
            "min_amount": amount(),
        },
        "reputation": lambda: {"min_reputation": dice.choice((1, 50, 80))},
        "type, reputation": lambda: {"transaction_type": dice.choice(TYPES), "min_reputation": 50},
    }
    from daemon.discovery.directory.search import Query

    finding = node.service._search
    known = [
        bytes.fromhex(one["publicKey"]) for one in finding.find(Query(), limit=500, own=(), include_own=True).signers
    ]
    for pubkey in known:
        for _ in range(dice.randrange(8)):
            node.service.signers.record_outcome(pubkey, "completed")
    await asyncio.sleep(0.5)
    for name, draw in questions.items():
        times, spent, found = [], [], 0
        for _ in range(400):
            query = Query(**draw())
            begun, cpu = time.perf_counter(), time.thread_time()
            found += len(finding.find(query, limit=50, own=(), include_own=False).signers)
            times.append(1_000 * (time.perf_counter() - begun))
            spent.append(1_000 * (time.thread_time() - cpu))
        took = f"{quantile(times, 0.5):.2f} / {quantile(times, 0.99):.2f} ms"
        took += f" (CPU {quantile(spent, 0.5):.2f} / {quantile(spent, 0.99):.2f})"
        say(f"find in {count:,} by {name}, p50 / p99 ({found / 400:.0f} found)", took, "1 / 6 ms")
    await asyncio.sleep(1)
    say("memory above an empty daemon", f"{resident_mib() - before:.0f} MiB", "100 MiB")
    await node.stop()


# Coming into step


TURNS = 5


async def reconcile(path: Path) -> None:
    """Two nodes with large directories that differ in ten statements, five on each side; the median of five turns."""
    for count in (sized(10_000, 1_000), sized(100_000, 31_000)):
        common = path / f"common-{count}.sqlite"
        await put(common, signers(count - 5, genuine=False, seed=count))
        shutil.copy(common, path / f"twin-{count}.sqlite")
        a, b = Node(common, f"bench{count}"), Node(path / f"twin-{count}.sqlite", f"bench{count}")
        for node in (a, b):
            await node.start()
            only_when_asked(node)
        await a.dial(b)
        while not b.network.connected(a.identity.peer):
            await asyncio.sleep(0.01)
        turns = [await timed_reconcile(a, b, count + 5 + 10 * turn) for turn in range(TURNS)]
        took, spent = (quantile(values, 0.5) for values in zip(*turns, strict=True))
        aim = "100 ms, 32 KiB" if count <= 10_000 else "100 ms, 128 KiB"
        longest = max(turn[0] for turn in turns)
        say(
            f"in step, {count:,} each, 10 differ; p50, longest, bytes",
            f"{took:.0f}, {longest:.0f} ms, {spent / 1024:.1f} KiB",
            aim,
        )
        await a.stop()
        await b.stop()


async def timed_reconcile(a: Node, b: Node, expected: int) -> tuple[float, int]:
    """Five more on each side; then milliseconds and bytes from the first question until both have everything."""
    for node in (a, b):
        items = [item_of(statement) for statement in signers(5, genuine=True, seed=secrets.randbits(64))]
        await node.service._ingest.take(open_items(items), origin=RecordOrigin.SYNC)
    begun = time.perf_counter()
    pulls = [one.service._puller.pull(other.identity.peer, compare=True) for one, other in ((a, b), (b, a))]
    reports = await asyncio.gather(*pulls)
    took = 1_000 * (time.perf_counter() - begun)
    assert (a.count(), b.count()) == (expected, expected), (a.count(), b.count())
    return took, sum(report.bytes_in + report.bytes_out for report in reports)


def only_when_asked(node: Node) -> None:
    """Switch off regular rounds, so that only the measured pull runs."""
    node.service._rounds._soon = lambda _, **__: None  # type: ignore[method-assign] # for the measurement only
    node.service._rounds.grew = lambda: None  # type: ignore[method-assign] # as above


async def newcomer(path: Path) -> None:
    """An empty node that is connected to one peer, which got everything from others that have left."""
    for count, aim in ((15, "10 s"), (1_000, "10 s"), (sized(10_000, 3_000), "15 s")):
        name = f"bench{count}"
        await put(path / f"full-{count}.sqlite", signers(count, genuine=True, seed=count))
        full, fresh = Node(path / f"full-{count}.sqlite", name), Node(path / f"fresh-{count}.sqlite", name)
        await full.start()
        await fresh.start()
        begun = time.perf_counter()
        await fresh.dial(full)
        while fresh.count() < count:
            await asyncio.sleep(0.005)
        say(f"a newcomer finds {fresh.count():,} of {count:,}", f"{time.perf_counter() - begun:.2f} s", aim)
        await fresh.stop()
        await full.stop()


async def refresh(path: Path) -> None:
    """findAvailableSigners with refresh, when three peers each have something new."""
    from rpc.caller import owner
    from rpc.models.advertisements import FindAvailableSigners

    nodes = [Node(path / f"refresh-{index}.sqlite", "benchr") for index in range(4)]
    for node in nodes:
        await node.start()
    asker, *peers = nodes
    for peer in peers:
        await asker.dial(peer)
    times = []
    for round_ in range(10):
        for index, peer in enumerate(peers):
            statement = next(signers(1, genuine=True, seed=100 * round_ + index))
            await peer.service._ingest.take(open_items([item_of(statement)]), origin=RecordOrigin.SYNC)
        begun = time.perf_counter()
        await asker.service.methods.find_available_signers(owner(), FindAvailableSigners(refresh=True))
        times.append(time.perf_counter() - begun)
        assert asker.count() == 3 * (round_ + 1)
    say("refresh with three peers, p50", f"{1_000 * quantile(times, 0.5):.0f} ms", "2,000 ms")
    for node in nodes:
        await node.stop()


# Being heard


async def latency(path: Path) -> None:
    """Five `musigd run` processes; the RPC call of one until the event at a WebSocket of another."""
    from daemon.demo.processes import Daemons
    from musigd_client import Client

    each = sized(50, 10)
    daemons = Daemons(path, "bench" + secrets.token_hex(3))
    try:
        started = [await daemons.start("d0", [])]
        for index in range(1, 5):
            started.append(await daemons.start(f"d{index}", [daemon.multiaddr for daemon in started]))
        clients = [await Client.connect(datadir=daemon.datadir) for daemon in started]
        *advertisers, subscriber = clients
        await subscriber.call("subscribeToSignerDiscovery", transactionTypes=["swap"])
        heard: dict[str, list[float]] = {}
        listener = asyncio.create_task(listen(subscriber, heard))
        keys = [
            (client, (await client.call("createKey", scheme="lotus"))["publicKey"])
            for client in advertisers
            for _ in range(each)
        ]
        random.shuffle(keys)
        await asyncio.sleep(4)
        begun: dict[str, float] = {}
        for client, key in keys:
            begun[key] = time.perf_counter()
            await client.call("advertiseSigner", publicKey=key, criteria={"transactionTypes": ["swap"]})
            await asyncio.sleep(0.02)
        await asyncio.sleep(2)
        listener.cancel()
        times = [1_000 * (heard[key][0] - begun[key]) for key in begun if key in heard]
        once = sum(len(when) == 1 for when in heard.values())
        took = f"{quantile(times, 0.5):.1f} / {quantile(times, 0.99):.1f} ms"
        say("advertiseSigner to signer:discovered, five processes, p50 / p99", took, "15 / 100 ms")
        say("delivered, each once", f"{once} of {len(begun)}", "all")
        for client in clients:
            await client.close()
    finally:
        await daemons.stop()


async def listen(client: Any, heard: dict[str, list[float]]) -> None:
    async for event in client.events(events=["signer:discovered"]):
        heard.setdefault(event["data"]["advertisement"]["publicKey"], []).append(time.perf_counter())


# Growing


def loopback() -> tuple[int, int]:
    """Bytes and packets that went over this network namespace's loopback."""
    fields = next(line for line in Path("/proc/net/dev").read_text().splitlines() if "lo:" in line).split()
    return int(fields[1]), int(fields[2])


async def growth(path: Path) -> None:
    """Bytes on the wire per advertisement as the network grows; each node dials three others."""
    if "MUSIGD_BENCH_ALONE" not in os.environ:
        await growth_alone()
        return
    each = 10
    for count in (5, 10, 20):
        nodes = [Node(path / f"growth-{count}-{index}.sqlite", f"benchg{count}") for index in range(count)]
        for index, node in enumerate(nodes):
            await node.start()
            for other in random.sample(nodes[:index], min(3, index)):
                await node.dial(other)
            await node.service._follows.add("bench", ["swap"])
            await node.service._topics.follow()
        await asyncio.sleep(6)
        idle_from = loopback()
        await asyncio.sleep(5)
        idle = [(after - before) / 5 for before, after in zip(idle_from, loopback(), strict=True)]
        begun, counted = time.perf_counter(), loopback()
        from daemon.discovery.own.rows import AdvertisedTerms

        for number in range(each):
            node = nodes[number % count]
            await node.service._own.advertise(
                node.keys.create(), AdvertisedTerms({"transactionTypes": ["swap"]}, {}, 86_400_000)
            )
        while min(node.count() for node in nodes) < each and time.perf_counter() - begun < 30:
            await asyncio.sleep(0.02)
        spread = time.perf_counter() - begun
        await asyncio.sleep(1)
        lasted = time.perf_counter() - begun
        volume, packets = (
            (after - before - rest * lasted) / each
            for before, after, rest in zip(counted, loopback(), idle, strict=True)
        )
        had = min(node.count() for node in nodes)
        links = sum(len(node.network.peers()) for node in nodes) // 2
        say(
            f"{count} nodes, {links} links: per advertisement",
            f"{volume / 1024:.0f} KiB, {packets:.0f} packets",
        )
        say("   per advertisement and node; all had them after", f"{volume / 1024 / count:.1f} KiB; {spread:.1f} s")
        say("   idle, per node", f"{idle[0] / count / 1024:.2f} KiB/s")
        assert had == each
        await asyncio.gather(*(node.stop() for node in nodes))


async def growth_alone() -> None:
    """In a network namespace of its own, where nobody else uses the loopback."""
    lacking = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        say("growth", "left out: a network namespace of its own needs root, ip (iproute2) and unshare (util-linux)")
        return
    process = await asyncio.create_subprocess_exec(*alone("growth"), env={**os.environ, "MUSIGD_BENCH_ALONE": "1"})
    if (code := await process.wait()) != 0:
        raise SystemExit(f"growth failed with exit code {code}: what it said is above")


def alone(section: str) -> list[str]:
    """The command that measures one section in a network namespace; no path is part of what the shell reads."""
    enter = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return [*enter, sys.executable, "-m", "tests.bench.bench_discovery", *(["--small"] if SMALL else []), section]


SECTIONS = {
    "ingest": ingest,
    "find": find,
    "reconcile": reconcile,
    "newcomer": newcomer,
    "refresh": refresh,
    "latency": latency,
    "growth": growth,
}


def main() -> None:
    global SMALL  # noqa: PLW0603 - one switch for the whole run
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="all when none is named")
    parser.add_argument("--small", action="store_true", help="a tenth of the sizes, to see that it runs")
    asked = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)  # as `musigd run` does
    SMALL = asked.small
    if "MUSIGD_BENCH_ALONE" not in os.environ:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: what else runs here makes all times longer")
    for name in asked.sections or SECTIONS:
        if "MUSIGD_BENCH_ALONE" not in os.environ:
            print(f"{name}: {SECTIONS[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory(prefix="musigd-bench-") as folder:
            asyncio.run(SECTIONS[name](Path(folder)))


if __name__ == "__main__":
    main()
