"""Measures once what each kind of work for a peer costs a daemon, beside the prices that are charged.

A real daemon is asked by a peer that its settings name, so that nothing is slowed down, and its processor time is read
before and after: what all its threads did, from the socket to the disk. Of each cost that of what is charged besides
(the frame, its bytes, its signatures) is taken off. The case of prices runs it as a process of its own: the peer needs
parts of py-libp2p that a daemon leaves out, and the other cases import a daemon's parts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import sys
import time
from pathlib import Path

import trio

from musig2.protocol.records.peers import PeerIdentity, peer_text
from p2p.streams.prices import PRICES_US, Work
from tests.adversary.attacks.directory import exactly
from tests.adversary.forge import Forge
from tests.adversary.hostile import Hostile, hostile
from tests.adversary.target import Target
from tests.bench.price_asks import ASKS, Prepared
from tests.bench.price_ways import price_of
from tests.bench.signing_parts import Wallet
from tests.e2e.vessels import Vessel

# Of two streams of one protocol that of the smaller peer is used, and here answers are wanted on the asker's.
SEED = min((bytes([number]) * 32 for number in range(1, 200)), key=lambda seed: PeerIdentity(seed).peer)
QUIET_S = 0.3
LONGEST_S = 30
IDLE_US = 15_000  # in that time, of a daemon that nobody asks anything


class Meter:
    """Processor time of a daemon."""

    def __init__(self, pid: int) -> None:
        self._clock = ~pid << 3 | 2  # as clock_getcpuclockid(3) makes it

    def cpu_us(self) -> float:
        """Of all threads so far, ended ones included: where many signatures are checked, threads come and go."""
        return time.clock_gettime_ns(self._clock) / 1_000

    async def quiet(self) -> float:
        """The same, once the daemon has nothing left to do."""
        before = self.cpu_us()
        while True:
            await trio.sleep(QUIET_S)
            now = self.cpu_us()
            if now - before < IDLE_US:
                return now
            before = now


async def measured(meter: Meter, peer: Hostile, forge: Forge) -> dict[str, float]:
    """What one unit of each kind of work cost, in each way of asking, and its price (us)."""
    known: dict[Work, float] = {}
    sample: dict[str, float] = {}
    for way, ask in ASKS.items():
        before = await meter.quiet()
        with trio.fail_after(LONGEST_S):
            asked = await ask(peer, forge)
            await pong(peer)
        if isinstance(asked, Prepared):
            before = await meter.quiet()
            with trio.fail_after(LONGEST_S):
                asked = await asked.then()
                await pong(peer)
        spent = await meter.quiet() - before if asked.spent_us is None else asked.spent_us
        besides = sum(known.get(work, PRICES_US[work]) * amount for work, amount in asked.besides.items())
        cost = (spent - besides - asked.besides_us) / asked.amount
        known[asked.work] = max(known.get(asked.work, 0.0), cost)
        sample |= {way: cost, price_of(way): PRICES_US[asked.work]}
    return sample


async def pong(peer: Hostile) -> None:
    """Return when everything before on this connection was read."""
    stream = await peer.raw_stream("/ipfs/ping/1.0.0")
    await stream.write(bytes(32))
    await exactly(stream, 32)
    await stream.reset()


async def _asked_by_a_peer(meter: Meter, forge: Forge) -> dict[str, float]:
    async with hostile(forge.target, "127.0.0.1", SEED) as peer:
        return await measured(meter, peer, forge)


async def main(folder: Path) -> None:
    """One new daemon and one peer; prints the sample."""
    logging.disable(logging.CRITICAL)  # what the library complains of when a peer leaves
    known = peer_text(PeerIdentity(SEED).peer)
    vessel = Vessel(folder, "victim", network := f"test-{secrets.token_hex(4)}")
    try:
        await vessel.start([f"/ip4/127.0.0.1/tcp/1/p2p/{known}"])
        assert vessel.process is not None
        wallet = await Wallet.open(vessel.datadir, vessel.process.pid)
        await wallet.make_key("lotus")
        await wallet.close()
        pubkey = bytes.fromhex(wallet.pubkey)
        forge = Forge(Target(vessel.multiaddr, network, pubkey, "lotus", pubkey), random.Random(1))
        sample = await asyncio.to_thread(trio.run, _asked_by_a_peer, Meter(vessel.process.pid), forge)
        print(json.dumps(sample), flush=True)
    finally:
        await vessel.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
