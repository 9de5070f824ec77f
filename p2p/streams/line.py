"""One open stream of a link."""

from __future__ import annotations

from typing import cast

from libp2p.abc import IMuxedStream, INetStream
from libp2p.network.stream.net_stream import NetStream

from p2p.compat.yamux_stream import QuietStream

READ_BYTES = 64 * 1024


class Line:
    """One open stream and who opened it."""

    def __init__(self, stream: INetStream, opened_by: bytes) -> None:
        self.stream = stream
        self._muxed: IMuxedStream = cast(NetStream, stream).muxed_stream  # past a lock that costs a turn of all tasks
        self.opened_by = opened_by
        self.retired = False  # read to its end, not written any more

    async def read(self) -> bytes:
        """Some bytes, b"" when the stream has ended in whatever way."""
        try:
            return await self._muxed.read(READ_BYTES)
        except Exception:  # noqa: BLE001 - closed, reset, lost: the library has many words for the end of a stream
            return b""

    async def write(self, data: bytes) -> None:
        """All of it; raises whatever the library raises for a stream that has ended."""
        await self._muxed.write(data)

    def write_now(self, data: bytes) -> bool:
        """All of it or nothing, without waiting; False where that cannot be."""
        return isinstance(self._muxed, QuietStream) and self._muxed.write_now(data)
