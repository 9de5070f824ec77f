"""One stream of a yamux connection: a bounded receive buffer, a send window, and a half-close per direction.

A reader's credit goes back to the sender when a quarter of the window was read, not at each read. A writer without
credit waits for it as long as the connection lives; only the caller's task waits.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import trio
from libp2p.abc import IMuxedStream
from libp2p.stream_muxer.exceptions import MuxedStreamClosed, MuxedStreamEOF, MuxedStreamReset

if TYPE_CHECKING:
    from p2p.compat.yamux import QuietYamux

HEADER = struct.Struct("!BBHII")  # version, type, flags, stream id, length
DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
WINDOW = 256 * 1024  # the protocol's initial window, kept for the whole life of a stream
UPDATE_AT = 64 * 1024
MAX_CHUNK = 60 * 1024  # with its header below one noise message


class QuietStream(IMuxedStream):
    """The names that libp2p calls, and the events that the connection delivers."""

    def __init__(self, stream_id: int, conn: QuietYamux, *, opened_here: bool) -> None:
        self.stream_id = stream_id
        self.conn = conn
        self.muxed_conn = conn
        self.opened_here = opened_here
        self.served = not opened_here  # until `release`
        self.buffer = bytearray()
        self.recv_closed = False
        self.send_closed = False
        self.was_reset = False
        self.half_closed_at: float | None = None  # when this side was closed, for the sweep
        self._credit = WINDOW
        self._unreturned = 0
        self._granted = WINDOW
        self._readable = trio.Event()
        self._writable = trio.Event()

    # What the connection delivers.

    def on_data(self, data: bytes | bytearray | memoryview) -> bool:
        """Take received bytes; False: the peer sent more than its window."""
        self._granted -= len(data)
        if self._granted < 0:
            return False
        self.buffer += data
        self._readable.set()
        return True

    def on_credit(self, increment: int) -> None:
        """The peer read; more may be sent."""
        self._credit += increment
        self._writable.set()

    def on_fin(self) -> None:
        """The peer will send no more."""
        self.recv_closed = True
        self._readable.set()

    def on_reset(self) -> None:
        """The stream is dead in both directions."""
        self.was_reset = self.recv_closed = self.send_closed = True
        self._readable.set()
        self._writable.set()

    @property
    def done(self) -> bool:
        """True when neither side will send again."""
        return self.recv_closed and self.send_closed

    # What libp2p calls.

    async def read(self, n: int | None = -1) -> bytes:
        """One to `n` bytes (all there is if None or negative). Raises MuxedStreamEOF, MuxedStreamReset."""
        while not self.buffer:
            if self.was_reset:
                raise MuxedStreamReset("the stream was reset")
            if self.recv_closed:
                raise MuxedStreamEOF("the peer closed the stream")
            self._readable = trio.Event()
            await self._readable.wait()
        end = len(self.buffer) if n is None or n < 0 else n
        data = bytes(self.buffer[:end])
        del self.buffer[:end]
        self._give_back(len(data))
        return data

    def _give_back(self, count: int) -> None:
        self._unreturned += count
        if self._unreturned >= UPDATE_AT and not self.recv_closed:
            self._granted += self._unreturned
            increment, self._unreturned = self._unreturned, 0
            self.conn.queue(HEADER.pack(0, WINDOW_UPDATE, 0, self.stream_id, increment))

    async def write(self, data: bytes) -> None:
        """Send everything, waiting for credit. Raises MuxedStreamClosed or MuxedStreamReset."""
        sent = 0
        while sent < len(data):
            await self._wait_for_credit()
            chunk = data[sent : sent + min(self._credit, MAX_CHUNK)]
            self._credit -= len(chunk)
            sent += len(chunk)
            await self.conn.send(HEADER.pack(0, DATA, 0, self.stream_id, len(chunk)) + chunk)

    def write_now(self, data: bytes) -> bool:
        """Send everything if neither credit nor the queue of the connection has to be waited for; else nothing."""
        ended = self.was_reset or self.send_closed
        if ended or self.conn.is_busy or len(data) > min(self._credit, MAX_CHUNK):
            return False
        self._credit -= len(data)
        self.conn.queue(HEADER.pack(0, DATA, 0, self.stream_id, len(data)) + data)
        return True

    async def _wait_for_credit(self) -> None:
        while True:
            if self.was_reset:
                raise MuxedStreamReset("the stream was reset")
            if self.send_closed:
                raise MuxedStreamClosed("the stream is closed for writing")
            if self._credit > 0:
                return
            self._writable = trio.Event()
            await self._writable.wait()

    async def close(self) -> None:
        """Send the end of this side; what the peer still sends may be read. Never raises for a lost connection."""
        if self.send_closed:
            return
        self.send_closed = True
        self.half_closed_at = trio.current_time()
        self._writable.set()
        self.conn.queue(HEADER.pack(0, WINDOW_UPDATE, FIN, self.stream_id, 0))
        self.conn.settle(self)

    async def reset(self) -> None:
        """Kill both directions at once."""
        if self.was_reset:
            return
        finished = self.done
        self.on_reset()
        if not finished:
            self.conn.queue(HEADER.pack(0, WINDOW_UPDATE, RST, self.stream_id, 0))
        self.conn.settle(self)

    def set_deadline(self, ttl: int) -> None:
        """Deadlines are the caller's: trio's cancel scopes."""
        raise NotImplementedError("use a cancel scope")

    def get_remote_address(self) -> tuple[str, int] | None:
        """The transport's remote host and port."""
        return self.conn.get_remote_address()

    async def __aenter__(self) -> QuietStream:
        return self
