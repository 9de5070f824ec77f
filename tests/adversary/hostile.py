"""Hostile peers: bare libp2p hosts with this project's codec, and none of the daemon's network code.

Each has an identity and a source address of its own. Loopback is 127.0.0.0/8, so one machine has as many ranges as are
needed; in a namespace of its own (namespace.py) it has public ones, where ranges count. A peer that loses its
connection comes back at once under a new identity, because identities cost nothing.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from types import MappingProxyType
from typing import Any

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.peerinfo import info_from_p2p_addr
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.wire.frame_codec import with_length
from tests.adversary.target import Target
from tests.adversary.websockets import WebSocket

WRITE_BYTES = 65_536
PAUSE_S = 0.2  # before a new identity is tried
RANGES = (50, 250)  # second byte of source addresses: 127.50.0.1, 127.51.0.1 and so on, or 45.50.0.1
source: ContextVar[str] = ContextVar("source", default="127.0.0.1")
by_websocket: ContextVar[bool] = ContextVar("by_websocket", default=False)
Serve = Callable[[Any], Awaitable[None]]  # a stream
_open_tcp_stream = trio.open_tcp_stream


async def from_source(host: str | bytes, port: int, **options: Any) -> Any:
    """Trio's function of that name, from the source address of the peer that dials, and in the way that it does."""
    stream = await _open_tcp_stream(host, port, **{"local_address": source.get(), **options})
    return await WebSocket.upgraded(stream) if by_websocket.get() else stream


trio.open_tcp_stream = from_source  # the library knows no source addresses


class Hostile:
    """One identity, connected to the victim."""

    def __init__(self, target: Target, host: Any, identity: PeerIdentity, swallow: trio.Nursery) -> None:
        self.target = target
        self.host = host
        self.identity = identity
        there = target.behind_websocket if by_websocket.get() else target.multiaddr
        self.victim = info_from_p2p_addr(Multiaddr(there))
        self._swallow = swallow

    @property
    def connection(self) -> Any:
        """The multiplexed connection to the victim, below the streams."""
        return self.host.get_network().get_connections(self.victim.peer_id)[0].muxed_conn

    async def stream(self, name: str, *, swallow: bool = True) -> Any:
        """A stream of `session`, `directory` or `kad`; what arrives on it is dropped, unless told otherwise."""
        stream = await self.raw_stream(f"/musigd/{self.target.network}/{name}/1")
        if swallow:
            self._swallow.start_soon(drop, stream)
        return stream

    async def raw_stream(self, protocol: str) -> Any:
        """A stream of any protocol."""
        return await self.host.new_stream(self.victim.peer_id, [TProtocol(protocol)])


async def drop(stream: Any) -> None:
    """Read a stream to its end, however it ends."""
    try:
        while await stream.read(WRITE_BYTES):
            pass
    except Exception:
        await trio.lowlevel.checkpoint()


async def told() -> None:
    """Wait for the next byte on this process's input."""
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stdin:
        await stdin.receive_some(1)


@asynccontextmanager
async def hostile(
    target: Target,
    address: str,
    seed: bytes,
    serve: Mapping[str, Serve] = MappingProxyType({}),
    *,
    websocket: bool = False,
) -> AsyncIterator[Hostile]:
    """A peer of that seed and source address, connected; raises what libp2p raises when it is not let in.

    `serve`: what it does with streams that the victim opens, by `session` and `directory`; nothing unless given.
    `websocket`: it comes over one, where the victim takes them.
    """
    source.set(address)
    by_websocket.set(websocket)
    host: Any = new_host(key_pair=create_new_key_pair(seed))
    for name in ("session", "directory"):  # a peer that serves none of these is disconnected
        host.set_stream_handler(TProtocol(f"/musigd/{target.network}/{name}/1"), serve.get(name, drop))
    async with (
        host.run(listen_addrs=[Multiaddr(f"/ip{6 if ':' in address else 4}/{address}/tcp/0")]),
        trio.open_nursery() as swallow,
    ):
        peer = Hostile(target, host, PeerIdentity(seed), swallow)
        await host.connect(peer.victim)
        yield peer
        swallow.cancel_scope.cancel()


def innermost(error: BaseException) -> str:
    """The kind of the first error in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


Act = Callable[[Hostile], Awaitable[None]]


class Crew:
    """All hostile peers of one attack, and what they count."""

    def __init__(self, target: Target, count: int, seed: int) -> None:
        self.target = target
        self.count = count
        self.random = random.Random(seed)
        self.counted: Counter[str] = Counter()

    async def ready(self, *, mute: Sequence[str] = ()) -> None:
        """Everything is prepared: print it, and wait until the attack may begin. `mute`: keys that the victim mutes."""
        self.tell(ready=True, mute=mute)
        await told()

    def tell(self, **more: Any) -> None:
        """Print the counts so far as a line of JSON."""
        print(json.dumps({**self.counted, **more}), flush=True)

    def address(self, index: int) -> str:
        """The source address of one of them, in a range of its own."""
        low, high = RANGES
        return self.target.near(low + index % (high - low), index // (high - low))

    def seed(self) -> bytes:
        """Of a fresh identity that is small: of two streams of one protocol that of the smaller peer is used."""
        return min((self.random.randbytes(32) for _ in range(8)), key=lambda seed: PeerIdentity(seed).peer)

    async def all(
        self,
        act: Act,
        count: int | None = None,
        serve: Mapping[str, Serve] = MappingProxyType({}),
        *,
        websocket: bool = False,
    ) -> None:
        """Let each peer act; a peer that is disconnected comes back under a new identity. The rest as in hostile."""
        async with trio.open_nursery() as nursery:
            for index in range(count or self.count):
                nursery.start_soon(partial(self._one, self.address(index), act, serve, websocket))

    async def _one(self, address: str, act: Act, serve: Mapping[str, Serve], websocket: bool) -> None:
        while True:
            self.counted["identities"] += 1
            try:
                async with hostile(self.target, address, self.seed(), serve, websocket=websocket) as peer:
                    await act(peer)
                    return
            except Exception as error:
                self.counted["sent away"] += 1
                self.counted[f"by {innermost(error)}"] += 1
            await trio.sleep(PAUSE_S)

    async def flood(self, stream: Any, frames: Iterable[bytes]) -> None:
        """Write frames as fast as the stream takes them, many at once."""
        chunk, held = bytearray(), 0
        for frame in frames:
            chunk += with_length(frame)
            held += 1
            if len(chunk) >= WRITE_BYTES:
                await stream.write(bytes(chunk))
                self.counted["sent"] += held
                chunk, held = bytearray(), 0
                await trio.lowlevel.checkpoint()
        if chunk:
            await stream.write(bytes(chunk))
            self.counted["sent"] += held
