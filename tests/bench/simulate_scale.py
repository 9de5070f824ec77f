"""How discovery would behave at 10,000 nodes and a million advertisements: a small simulation and a budget per node.

    .venv/bin/python -m tests.bench.simulate_scale [NODES] [ADVERTISEMENTS]

The simulation follows one advertisement through a random network: direct push to the neighbours of its daemon, the
topic's mesh among those who follow the type, rumour (whoever learned it says hello to four neighbours within about two
seconds, who then read it), and a synchronisation with three random neighbours about once a minute. The budget
multiplies what `bench_discovery` measured. docs/scale.md reads the result.
"""

from __future__ import annotations

import heapq
import random
import sys

DEGREE = 10  # connections of a node
MESH = 6  # neighbours to whom a topic message is forwarded
HOP_MS = 40  # one hop across the internet, verification included
SYNC_MS = 60_000
SYNC_PEERS = 3
RUMOUR_MS = 2_000
RUMOUR_PEERS = 4
READ_MS = 3 * 80  # hello, short ids, statements: three round trips

# Measured by bench_discovery on two cores (bytes on the wire, milliseconds of one core).
PAIR_BYTES = 720  # an advertisement with its entry
TOPIC_BYTES = 2 * 180 + PAIR_BYTES  # as two topic messages, signed by GossipSub too
VERIFY_MS = 0.25  # decode, four checks, entry, store
TOPIC_MS = 2 * 0.7  # two topic messages through py-libp2p, per copy
ROW_BYTES = 2_600
SHORT_ID = 8


def network(nodes: int, dice: random.Random) -> list[list[int]]:
    """A random graph in which every node dials half of the connections that it has on average."""
    links: list[set[int]] = [set() for _ in range(nodes)]
    for node in range(nodes):
        for other in dice.sample(range(nodes), DEGREE // 2):
            if other != node:
                links[node].add(other)
                links[other].add(node)
    return [list(neighbours) for neighbours in links]


def next_round_ms(neighbours: int, dice: random.Random) -> float:
    """Until a neighbour's regular round asks a given node, one of `neighbours`."""
    rounds = 1
    while dice.random() > SYNC_PEERS / max(SYNC_PEERS, neighbours):
        rounds += 1
    return SYNC_MS * (rounds - dice.random())


def spread(links: list[list[int]], followers: float, dice: random.Random) -> tuple[list[float], int]:
    """When each node knows the advertisement (ms), and how many copies the topic carried."""
    follows = [dice.random() < followers for _ in links]
    known = [float("inf")] * len(links)
    source = dice.randrange(len(links))
    follows[source] = True
    events = [(0.0, source)]
    copies = 0
    while events:
        now, node = heapq.heappop(events)
        if known[node] <= now:
            continue
        known[node] = now
        mesh = [peer for peer in links[node] if follows[peer]][:MESH] if follows[node] else []
        copies += len(mesh)
        told = links[node] if node == source else mesh
        for peer in told:
            if known[peer] > now + HOP_MS:
                heapq.heappush(events, (now + HOP_MS * dice.uniform(0.5, 1.5), peer))
        for peer in dice.sample(links[node], min(RUMOUR_PEERS, len(links[node]))):
            heapq.heappush(events, (now + RUMOUR_MS * dice.uniform(0.5, 1.5) + READ_MS, peer))
        for peer in links[node]:
            if known[peer] == float("inf"):
                heapq.heappush(events, (now + next_round_ms(len(links[peer]), dice), peer))
    return known, copies


def simulate(nodes: int) -> None:
    """Print how long an advertisement takes to reach followers, and everybody."""
    dice = random.Random(1)
    links = network(nodes, dice)
    print(f"{nodes:,} nodes, {sum(map(len, links)) / len(links):.0f} connections each")
    for followers in (1.0, 0.3, 0.05):
        known, copies = spread(links, followers, dice)
        times = sorted(known)
        print(
            f"  {followers:4.0%} follow the type: half know it after {times[nodes // 2] / 1000:.1f} s, "
            f"99 % after {times[nodes * 99 // 100] / 1000:.1f} s, all after {times[-1] / 1000:.0f} s; "
            f"{copies / max(1, followers * nodes):.1f} copies per follower"
        )


def budget(advertisements: int) -> None:
    """Print what a node that follows everything spends, at two lifetimes."""
    print(f"{advertisements:,} advertisements, 1.75 types each, a node that follows every type")
    for name, per_day in (("24 hours", 1 / 0.75), ("7 days", 1 / (7 * 0.75))):
        rate = advertisements * per_day / 86_400
        topic = rate * 1.75 * (MESH - 1) * TOPIC_BYTES
        cpu = rate * (VERIFY_MS + 1.75 * (MESH - 1) * TOPIC_MS) / 1_000
        cursors = rate * SHORT_ID * SYNC_PEERS
        print(
            f"  lifetime {name}: {rate:.1f}/s; topics {topic / 1024:,.0f} KiB/s in, CPU {cpu:.0%} of a core; "
            f"cursors {cursors / 1024:.1f} KiB/s"
        )
    share = advertisements / 4_096
    print(f"  a bucket of 4,096 holds {share:.0f} ids: one that differs costs {share * SHORT_ID / 1024:.1f} KiB")
    print(f"  all buckets differ: {advertisements * SHORT_ID / 1024**2:.1f} MiB of ids")
    print(f"  on disk {advertisements * ROW_BYTES / 1024**3:.1f} GiB")
    print(
        f"  a newcomer reads {advertisements * PAIR_BYTES / 1024**2:,.0f} MiB"
        f" and verifies for {advertisements * VERIFY_MS / 60_000:.0f} minutes"
    )


if __name__ == "__main__":
    asked = [int(text) for text in sys.argv[1:]]
    simulate(asked[0] if asked else 10_000)
    budget(asked[1] if len(asked) > 1 else 1_000_000)
