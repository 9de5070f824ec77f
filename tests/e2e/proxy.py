"""TCP proxies between daemons in one process with the test: wires that can be slow, held, cut, brittle, and healed.

Each daemon announces the address of the proxy before it and is dialled only there. The proxy finds out who dialled by
the owner of the socket at the other end (/proc), so that every pair of daemons has a wire of its own, whoever dialled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

DEADLINE = 180
CHUNK = 65_536
ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class End:
    """One side of a connection: the daemon there, what comes from it, what goes to it."""

    name: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Wire:
    """Everything between two daemons. While it is held, bytes wait and connections stay; while cut, there are none."""

    def __init__(self, *ends: str) -> None:
        self.delay_s = 0.0
        self.connections = 0
        self.breaks = 0
        self._bytes_until_break: Callable[[], int] | None = None
        self._left = 0
        self._is_cut = False
        self._flows = {sender: asyncio.Event() for sender in ends}
        self._caught = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self.heal()

    def hold(self, *senders: str) -> None:
        """Let nothing of these through from now on, or nothing at all."""
        self._caught.clear()
        for sender in senders or self._flows:
            self._flows[sender].clear()

    async def caught(self) -> None:
        """Wait until bytes were held or a connection was refused."""
        async with asyncio.timeout(DEADLINE):
            await self._caught.wait()

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self._caught.clear()
        self._is_cut = True
        self.snap()

    def snap(self) -> None:
        """Reset every connection; new ones are welcome."""
        self.breaks += bool(self._open)
        for writer in list(self._open):
            writer.transport.abort()

    def heal(self) -> None:
        """End the hold and the cut: bytes that were held flow on."""
        self._is_cut = False
        self.delay_s = 0.0
        self._bytes_until_break = None
        for flows in self._flows.values():
            flows.set()

    def make_brittle(self, bytes_until_break: Callable[[], int]) -> None:
        """Reset all connections each time that so many bytes have passed."""
        self._bytes_until_break = bytes_until_break
        self._left = bytes_until_break()

    async def join(self, one: End, other: End) -> None:
        """Carry bytes both ways until one side ends."""
        writers = {one.writer, other.writer}
        if self._is_cut:
            self._caught.set()
            for writer in writers:
                writer.transport.abort()
            return
        self.connections += 1
        self._open |= writers
        ways = [asyncio.create_task(self._carry(one, other)), asyncio.create_task(self._carry(other, one))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open -= writers
            for writer in writers:
                writer.close()

    async def _carry(self, source: End, sink: End) -> None:
        """One direction: in order, later by the delay, and only while the wire flows."""
        clock = asyncio.get_running_loop().time
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        taking = asyncio.create_task(self._take(source, under_way))
        try:
            while True:
                due, data = await under_way.get()
                if due > clock():
                    await asyncio.sleep(due - clock())
                await self._flows[source.name].wait()
                if not data:
                    return
                sink.writer.write(data)
                await sink.writer.drain()
        except ConnectionError:
            return
        finally:
            taking.cancel()

    async def _take(self, source: End, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        data = b"more"
        while data:
            try:
                data = await source.reader.read(CHUNK)
            except ConnectionError:
                data = b""
            if data and not self._flows[source.name].is_set():
                self._caught.set()
            under_way.put_nowait((asyncio.get_running_loop().time() + self.delay_s, data))
            self._wear(len(data))

    def _wear(self, size: int) -> None:
        if self._bytes_until_break is None:
            return
        self._left -= size
        if self._left <= 0:
            self._left = self._bytes_until_break()
            self.snap()


class Proxies:
    """A proxy before each daemon, and a wire between any two."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        """`pids`: the process of each daemon, by name, as it is now."""
        self._pids = pids
        self._names: list[str] = []
        self._servers: list[asyncio.Server] = []
        self._wires: dict[frozenset[str], Wire] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def before(self, name: str, port: int) -> int:
        """Stand before the daemon that listens on `port`; returns the port to dial instead."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            await self._serve(name, port, reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._names.append(name)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def wire(self, one: str, other: str) -> Wire:
        """What lies between these two."""
        return self._wires.setdefault(frozenset({one, other}), Wire(one, other))

    def around(self, name: str) -> list[Wire]:
        """All that lead to this one."""
        return [self.wire(name, other) for other in self._names if other != name]

    @property
    def wires(self) -> list[Wire]:
        """All of them."""
        return [self.wire(one, other) for one, other in combinations(self._names, 2)]

    def heal(self) -> None:
        """Every wire."""
        for wire in self.wires:
            wire.heal()

    async def close(self) -> None:
        """End every connection."""
        for server in self._servers:
            server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, name: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dialler = who_owns(writer.get_extra_info("peername")[1], self._pids())
        if dialler is None:  # it has hung up already
            writer.transport.abort()
            return
        try:
            far = End(name, *await asyncio.open_connection("127.0.0.1", port))
        except OSError:  # the daemon is down just now
            writer.transport.abort()
            return
        await self.wire(name, dialler).join(End(dialler, reader, writer), far)


def who_owns(port: int, pids: Mapping[str, int]) -> str | None:
    """The name of the process that has a connected socket with this local port."""
    inodes = {f"socket:[{inode}]" for inode in _inodes(port)}
    for name, pid in pids.items():
        with suppress(OSError):  # a process that has ended owns nothing
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):  # closed while we look
                    if str(descriptor.readlink()) in inodes:
                        return name
    return None


def _inodes(port: int) -> Iterator[str]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED and int(fields[1].split(":")[1], 16) == port:
            yield fields[9]
