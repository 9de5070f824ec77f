"""A TCP proxy between two libp2p nodes that a test can cut, heal and slow down."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Proxy:
    """Forwards connections to `target`. While cut it refuses new ones and has dropped the old ones."""

    def __init__(self, target: int, delay_s: float = 0.0) -> None:
        self.target = target
        self.delay_s = delay_s
        self.port = 0
        self.connections = 0
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.cut()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._cut = True
        for writer in list(self._open):
            writer.transport.abort()

    def heal(self) -> None:
        """Connections are possible again."""
        self._cut = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        self.connections += 1
        there, out = await asyncio.open_connection("127.0.0.1", self.target)
        self._open |= {writer, out}
        for source, sink in ((reader, out), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.delay_s:
                    asyncio.get_running_loop().call_later(self.delay_s, _write, writer, data)
                else:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)


def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
