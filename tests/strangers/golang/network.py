"""go-libp2p as it comes: a host, GossipSub, Kademlia, and streams of frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import multiaddr  # type: ignore[import-untyped]  # without type information

from musig2.protocol.records.peers import PeerIdentity
from tests.strangers.golang.signing import opened

# The module of go-libp2p, which has the name of py-libp2p's.
libp2p, crypto, dht, options, peers, pubsub, utils, validator = (
    import_module(name)
    for name in (
        "libp2p",
        *("libp2p.crypto", "libp2p.dht", "libp2p.main", "libp2p.peer", "libp2p.pubsub"),
        *("libp2p.utils", "libp2p.validator"),
    )
)
LibP2PError: Any = utils.LibP2PError
Validator: Any = validator.Validator
THREADS = 64  # a read that waits takes one
READ = 65_536
ED25519 = b"\x08\x01\x12\x40"  # the head of a private key as libp2p writes it


class Stored(Validator):
    """Section 9 of docs/protocol.md: whose record may stand under a key, and which is the newest."""

    def validate(self, key: bytes, value: bytes) -> None:
        if not bytes(key).endswith(b"/" + opened(bytes(value)).record.pubkey.hex().encode()):
            raise ValueError("the key of another record")

    def select(self, key: bytes, values: list[bytes]) -> int:
        ages = [opened(bytes(value)).record.ts for value in values]
        return ages.index(max(ages))


class Network:
    """Everything that is Go's."""

    host: Any
    pubsub: Any
    dht: Any

    @classmethod
    async def start(cls, network: str, identity: PeerIdentity, seed: bytes, listen: str) -> Network:
        made = cls()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS))
        key = crypto.PrivKey.unmarshal(ED25519 + seed + identity.peer[6:])
        made.host = libp2p.Host(options.Identity(key), options.ListenAddrStrings(listen), loop=loop)
        made.pubsub = await pubsub.PubSub.new_gossip(made.host)
        served = (
            dht.Mode(dht.DhtModeEnum.ModeServer),
            dht.ProtocolPrefix(f"/musigd/{network}"),
            dht.V1ProtocolOverride(f"/musigd/{network}/kad/1"),
            dht.NamespacedValidator(f"musigd-{network}", Stored()),
        )
        made.dht = await dht.DHT.new(made.host, *served)
        return made

    @property
    def addrs(self) -> tuple[bytes, ...]:
        return tuple(multiaddr.Multiaddr(each).to_bytes() for each in self.host.addrs)

    async def connect(self, address: str) -> Any:
        """The peer at a multiaddr, connected."""
        place, _, name = address.rpartition("/p2p/")
        peer = peers.Peer.decode(name)
        await self.host.connect(peers.AddrInfo(peer, [place]))
        return peer

    def serve(self, protocol: str, on_frame: Callable[[Any, bytes], Any]) -> None:
        """Hand over every frame of every stream that others open."""

        async def handle(stream: Any) -> None:
            await self.read(stream, on_frame)

        self.host.set_stream_handler(protocol, handle)

    async def read(self, stream: Any, on_frame: Callable[[Any, bytes], Any]) -> None:
        async for frame in frames(stream):
            await on_frame(stream, frame)

    async def write(self, stream: Any, frame: bytes) -> None:
        await stream.write(len(frame).to_bytes(4, "big") + frame)


async def frames(stream: Any) -> AsyncIterator[bytes]:
    """What stands between the length prefixes, until the other side ends the stream."""
    buffer = b""
    while True:
        try:
            count, data = await stream.read_bytes(READ)
        except LibP2PError:
            return
        buffer += data[:count]
        while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[:4], "big")):
            yield buffer[4:end]
            buffer = buffer[end:]
