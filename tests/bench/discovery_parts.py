"""Parts of the discovery benchmark: thousands of signers, and a node that only discovers."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import musig2
from daemon.clock import SystemClock
from daemon.discovery.directory.log import DirectoryLog
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.candidates import candidate_of
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.service import DiscoveryService
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.events import EventLog
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from musig2 import SecretKey
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Advertisement, Entry
from musig2.protocol.wire.frames import Frame
from p2p.network import GossipItem, NetState, Network, NetworkConfig, Offence, PeerChange

TYPES = ("channel", "coinjoin", "custody", "escrow", "spend", "swap")
PURPOSES = ("savings", "market making", "payroll", "channel funding")
DAY_MS = 86_400_000
LIMITS = DiscoveryLimits(advertisements=2_000_000, advertisements_per_net=10**9)


def terms(dice: random.Random) -> dict[str, Any]:
    """Random terms: one to three types, with or without bounds and a purpose."""
    low = int(10 ** dice.uniform(2, 9)) if dice.random() < 0.7 else None
    high = (low or 1) * int(10 ** dice.uniform(1, 4)) if dice.random() < 0.7 else None
    said: dict[str, Any] = {"nickname": f"signer {dice.randrange(10**6)}", "fees": dice.randrange(5_000)}
    if dice.random() < 0.5:
        said["purpose"] = dice.choice(PURPOSES)
    address = b"\x04" + bytes(dice.choice((80, 81, 82)) if not i else dice.randrange(1, 255) for i in range(4))
    return {
        "addrs": (address + b"\x06" + (4_327).to_bytes(2, "big"),),
        "types": tuple(sorted(dice.sample(TYPES, dice.choice((1, 1, 2, 3))))),
        "min": low,
        "max": high,
        "metadata": said,
    }


def signers(count: int, *, genuine: bool, seed: int = 1) -> Iterator[Statement]:
    """Advertisements with their entries, each by a key and a peer of its own.

    `genuine` ones are signed, which takes half a millisecond each; others carry noise where signatures stand, for
    directories whose content was verified before.
    """
    dice = random.Random(seed)
    now_ms = time.time_ns() // 1_000_000
    for _ in range(count):
        scheme = "bip340" if dice.random() < 0.1 else "lotus"
        secret = SecretKey.generate() if genuine else None
        pubkey = secret.pubkey if secret else b"\x02" + secrets.token_bytes(32)
        identity = PeerIdentity(secrets.token_bytes(32))

        def sign(digest: bytes, scheme: str = scheme, secret: SecretKey | None = secret) -> bytes:
            return musig2.scheme(scheme).schnorr_sign(secret, digest) if secret else secrets.token_bytes(64)

        ts = now_ms - dice.randrange(60_000)
        record = Advertisement(scheme, pubkey, identity.peer, ts=ts, exp=ts + DAY_MS, **terms(dice))
        signed = seal(record, sign, identity.sign if genuine else lambda _: secrets.token_bytes(64))
        entry = Entry(scheme, pubkey, record.peer, record.types, record.ts, record.exp, signed.id)
        yield Statement(signed, seal(entry, sign))


class KeyRing:
    """Own keys in memory."""

    def __init__(self) -> None:
        self._keys: dict[bytes, SecretKey] = {}

    def create(self) -> bytes:
        secret = SecretKey.generate()
        self._keys[secret.pubkey] = secret
        return secret.pubkey

    def keys(self) -> Sequence[bytes]:
        return tuple(self._keys)

    def scheme_of(self, pubkey: bytes) -> str:
        return "lotus"

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes:
        return musig2.scheme("lotus").schnorr_sign(self._keys[pubkey], digest)


class Ears:
    """A network sink that hands everything to a discovery service."""

    service: DiscoveryService | None = None
    offences = 0

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        return

    def on_gossip(self, batch: list[GossipItem]) -> None:
        if self.service:
            self.service.inbox.put(batch)

    def on_peer(self, change: PeerChange) -> None:
        if self.service:
            self.service.traffic.on_peer(change)

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        assert self.service
        return await self.service.traffic.on_ask(peer, payload)

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences += 1

    def on_ban(self, peer: bytes, reason: str) -> None:
        return

    def in_session(self, peer: bytes) -> bool:
        return False

    def on_addresses(self) -> None:
        """Of no interest here."""

    def on_state(self, state: NetState) -> None:
        return


class Node:
    """A daemon without RPC and signing: store, libp2p node, discovery."""

    def __init__(self, path: Path, network: str, *, listen: bool = True) -> None:
        self.clock = SystemClock()
        self.keys = KeyRing()
        self.identity_seed = secrets.token_bytes(32)
        self.identity = PeerIdentity(self.identity_seed)
        self.store = Store.open(path)
        self.events = EventLog(store=self.store, clock=self.clock)
        self.ears = Ears()
        config = NetworkConfig(
            network=network,
            listen=("/ip4/127.0.0.1/tcp/0",),
            mdns=False,
            private_addresses=True,
            max_connections_per_ip=1_000,
        )
        self.network = Network(config, self.identity_seed, self.ears, self.clock.wall_ms, LIMITS.checks)
        self.service = DiscoveryService(
            DiscoverySurroundings(
                store=self.store,
                events=self.events,
                clock=self.clock,
                keystore=self.keys,
                identity=self.identity,
                network=self.network,
                network_name=network,
                known_peers=KnownPeers(store=self.store, clock=self.clock),
                limits=LIMITS,
            )
        )
        self.ears.service = self.service

    async def start(self) -> None:
        await self.events.start()
        await self.network.start()
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()
        await self.network.stop()
        await self.store.close()

    def count(self) -> int:
        """Advertisements in the directory."""
        return self.service._reads.size()

    async def dial(self, other: Node) -> None:
        await self.network.connect(other.network.multiaddrs()[0])


async def put(path: Path, statements: Iterator[Statement] | Sequence[Statement]) -> None:
    """Write statements into a closed store as if they had been verified."""
    store = Store.open(path)
    await store.close()
    import sqlite3

    conn = sqlite3.connect(path, isolation_level=None)
    now_ms = time.time_ns() // 1_000_000
    batch: list[Statement] = []

    def flush() -> None:
        conn.execute("BEGIN")
        DirectoryLog(LIMITS).admit(conn, [candidate_of(statement, frozenset()) for statement in batch], now_ms)
        conn.execute("COMMIT")
        batch.clear()

    for statement in statements:
        batch.append(statement)
        if len(batch) == 5_000:
            flush()
    flush()
    conn.close()


@contextmanager
def stopwatch(result: dict[str, float]) -> Iterator[None]:
    """Seconds of wall and CPU time of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    result["wall"] = time.perf_counter() - wall
    result["cpu"] = time.process_time() - cpu


async def until(
    condition: Callable[[], bool], pause: Callable[[float], Awaitable[None]], step_s: float = 0.002
) -> None:
    """Wait until it holds."""
    while not condition():
        await pause(step_s)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident_mib() -> float:
    """Memory of this process."""
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
