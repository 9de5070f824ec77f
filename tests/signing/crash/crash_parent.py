"""The test's end of a daemon in another process: a node of the hub whose sink is a socket."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.signing.memory_net import LONGEST_S, MemoryNet
from tests.signing.signing_world import World

PROJECT = Path(__file__).parents[3]


class Died(Exception):
    """The process ended before it answered."""


class Spawner:
    """A process that forks daemons and has loaded their libraries: half of what a start costs."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.signing.crash.crash_spawner"]
        self._process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self._process.communicate)

    def fork(self, arguments: list[str]) -> int:
        """Start a daemon (see `crash_spawner`); its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@cache
def spawner() -> Spawner:
    """One for all tests of this process."""
    return Spawner()


async def readable(descriptor: int) -> None:
    """Wait until a descriptor can be read: of a process, until that has ended."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: told.done() or told.set_result(None))
    try:
        await told
    finally:
        loop.remove_reader(descriptor)


class RemoteDaemon(MemoryNet):
    """A daemon in a process. `start` it again after it died: same folder, same identity."""

    def __init__(self, world: World, name: str, scheme: str) -> None:
        self.world = world
        self.folder = world.folder / name
        self.folder.mkdir(parents=True)
        self.socket = self.folder / "hub.sock"
        self.scheme = scheme
        self.seed = os.urandom(32).hex()
        self.key = b""
        world.remote.append(self)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._ended: int | None = None  # a descriptor that can be read when the process has ended

    async def start(self, *crash_at: str) -> None:
        """Start the process and wait until it is ready."""
        ready: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self.dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writer = writer
            with suppress(ConnectionError):  # killed in the middle of a line
                while (line := await reader.readline()).endswith(b"\n"):
                    self._take(json.loads(line), ready)
            writer.close()
            self._gone()

        self.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(serve, self.socket, limit=2**24)
        arguments = [str(self.socket), str(self.folder / "data"), self.seed, self.scheme, *crash_at]
        pid = await asyncio.to_thread(spawner().fork, arguments)
        if self._ended is not None:  # it died by itself
            os.close(self._ended)
        self._ended = os.pidfd_open(pid)
        async with asyncio.timeout(LONGEST_S):
            peer, key = await ready
        self.key = bytes.fromhex(key)
        super().__init__(self.world.hub, bytes.fromhex(peer), self)
        self.world.book.peers[self.key] = self.peer
        self.world.hub.nodes[self.peer] = self
        self.share_book()

    def share_book(self) -> None:
        """Let the process know whom the book names."""
        self._say(book={key.hex(): peer.hex() for key, peer in self.world.book.peers.items()})

    async def stop(self) -> None:
        """End the process as a power cut would, if it is alive."""
        if self._ended is None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._ended, signal.SIGKILL)
        await self.died()
        os.close(self._ended)
        self._ended = None

    async def died(self) -> None:
        """Wait until the process is gone and everybody saw its connections go."""
        async with asyncio.timeout(LONGEST_S):
            assert self._ended is not None
            await readable(self._ended)
            await self.dead
        self._server.close()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """An RPC method, or `until` for an event; raises Died."""
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._say(call=[number, method, params])
        await asyncio.wait([self._answers[number], self.dead], return_when=asyncio.FIRST_COMPLETED)
        if not self._answers[number].done():
            raise Died
        answer: dict[str, Any] = self._answers[number].result()
        return answer

    def on_frames(self, batch: Sequence[tuple[bytes, Any]]) -> None:
        raise AssertionError("frames go to the process as bytes")

    def arrive(self, sender: bytes, frames: list[bytes]) -> None:
        self._say(frames=[sender.hex(), [frame.hex() for frame in frames]])

    def on_connected(self, peer: bytes) -> None:
        self._say(up=peer.hex())

    def on_disconnected(self, peer: bytes) -> None:
        if not self.dead.done():
            self._say(down=peer.hex())

    def _take(self, line: dict[str, Any], ready: asyncio.Future[list[str]]) -> None:
        match line:
            case {"ready": names}:
                ready.set_result(names)
            case {"send": [peer, frames]}:
                self.send(bytes.fromhex(peer), [bytes.fromhex(frame) for frame in frames])
            case {"dial": [number, peer]}:
                self._say(dialled=[number, self.hub.connect(self.peer, bytes.fromhex(peer))])
            case {"answer": [number, answer, reason]}:
                if reason is None:
                    self._answers[number].set_result(answer)
                else:
                    self._answers[number].set_exception(AssertionError(f"the call was refused: {reason}"))

    def _gone(self) -> None:
        if not self.dead.done():
            self.dead.set_result(None)
        if self.world.hub.nodes.get(self.peer) is self:
            self.world.hub.leave(self.peer)

    def _say(self, **what: Any) -> None:
        assert self._writer is not None
        if not self._writer.is_closing():
            self._writer.write(json.dumps(what).encode() + b"\n")
