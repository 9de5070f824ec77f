"""A daemon in a process of its own that can be killed at a named point, joined to the hub of a test over a socket.

Lines of JSON go both ways, bytes as hex. The process kills itself with SIGKILL when the engine reaches a point in a
turn that holds a kind (see `CrashPoints`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from p2p.network import Offence, Work
from rpc.errors import ApiError
from tests.signing.memory_net import open_arrived
from tests.signing.signing_world import Book, Daemon, World


class KillAt:
    """The crash point of this process."""

    def __init__(self, point: str | None, kind: str | None) -> None:
        self._point, self._kind = point, kind

    def reached(self, point: str, kinds: frozenset[str]) -> None:
        if point == self._point and self._kind in kinds:
            os.kill(os.getpid(), signal.SIGKILL)


class Link:
    """The network facade of this process: everything goes through the hub of the test."""

    def __init__(self, peer: bytes, out: asyncio.StreamWriter) -> None:
        self.peer = peer
        self._out = out
        self._links: set[bytes] = set()
        self._dials: dict[int, asyncio.Future[bool]] = {}

    def say(self, **what: Any) -> None:
        self._out.write(json.dumps(what).encode() + b"\n")

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        if peer not in self._links:
            return False
        self.say(send=[peer.hex(), [frame.hex() for frame in frames]])
        return True

    def send_optional(self, peer: bytes, frames: Sequence[bytes]) -> None:
        self.send(peer, frames)

    def connected(self, peer: bytes) -> bool:
        return peer in self._links

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool:
        number = len(self._dials)
        self._dials[number] = asyncio.get_running_loop().create_future()
        self.say(dial=[number, peer.hex()])
        return await self._dials[number]

    def source_of(self, peer: bytes) -> bytes:
        return peer

    def offend(self, peer: bytes, kind: Offence) -> None:
        raise AssertionError(f"a peer of this test does no wrong: {kind}")

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> None:
        """Nothing: work is free here."""

    def fine(self, peer: bytes, amount: float = 1) -> None:
        """Nothing: peers of this test may ask in vain after a kill."""

    def hurry(self) -> None:
        """Nothing: nobody waits here."""

    def dialled(self, number: int, good: bool) -> None:
        self._dials[number].set_result(good)

    def change(self, peer: bytes, *, up: bool) -> None:
        (self._links.add if up else self._links.discard)(peer)


class Child:
    """Serves one daemon to the test."""

    def __init__(self, daemon: Daemon, link: Link, book: Book) -> None:
        self.daemon, self.link, self.book = daemon, link, book
        self._calls: set[asyncio.Task[None]] = set()

    def take(self, line: dict[str, Any]) -> None:
        match line:
            case {"book": peers}:
                self.book.peers.update({bytes.fromhex(key): bytes.fromhex(peer) for key, peer in peers.items()})
            case {"up": peer}:
                self.link.change(bytes.fromhex(peer), up=True)
                self.daemon.service.traffic.on_connected(bytes.fromhex(peer))
            case {"down": peer}:
                self.link.change(bytes.fromhex(peer), up=False)
                self.daemon.service.traffic.on_disconnected(bytes.fromhex(peer))
            case {"frames": [peer, frames]}:
                opened, _ = open_arrived([bytes.fromhex(frame) for frame in frames])
                self.daemon.service.traffic.on_frames([(bytes.fromhex(peer), frame) for frame in opened])
            case {"dialled": [number, good]}:
                self.link.dialled(number, good)
            case {"call": [number, method, params]}:
                task = asyncio.create_task(self._call(number, method, params))
                self._calls.add(task)
                task.add_done_callback(self._calls.discard)

    async def _call(self, number: int, method: str, params: dict[str, Any]) -> None:
        try:
            if method == "until":
                await self.daemon.until(params.pop("event"), **params)
                answer: dict[str, Any] = {}
            else:
                answer = await self.daemon.call(method, **params)
            self.link.say(answer=[number, answer, None])
        except (ApiError, TimeoutError) as error:
            self.link.say(answer=[number, None, getattr(error, "reason", "timeout")])


async def main(
    socket: str, folder: str, seed: str, scheme: str, point: str | None = None, kind: str | None = None
) -> None:
    """Serve one daemon until the other end closes the socket; `seed` is hexadecimal."""
    reader, writer = await asyncio.open_unix_connection(socket, limit=2**24)
    world = World(Path(folder))
    daemon = Daemon(world, Path(folder), bytes.fromhex(seed))
    link = Link(daemon.peer, writer)
    await daemon.start(network=link, crash_points=KillAt(point, kind))
    own = daemon.keystore.keys()
    daemon.key = own[0] if own else await daemon.new_key(scheme)
    link.say(ready=[daemon.peer.hex(), daemon.key.hex()])
    child = Child(daemon, link, world.book)
    while line := await reader.readline():
        child.take(json.loads(line))
