"""The yamux stream multiplexer, wire compatible with the library's and with go-yamux, bounded and without polling.

The library's own lets a peer fill a buffer that nobody reads, sends a window update for every small read, formats a
debug line for every frame, polls when a window is empty and gives up after five seconds; a cancelled write leaves half
a message on the wire. Here one task reads and dispatches without waiting for anything, one task writes all that was
queued since its last write, and a peer that breaks the protocol, or is silent for 75 s, loses its connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.abc import IMuxedConn, ISecureConn
from libp2p.connection_types import ConnectionType
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamError

from p2p.addresses import Multiaddr
from p2p.compat.yamux_stream import (
    ACK,
    DATA,
    FIN,
    GO_AWAY,
    HEADER,
    PING,
    RST,
    SYN,
    UPDATE_AT,
    WINDOW,
    WINDOW_UPDATE,
    QuietStream,
)
from p2p.rates import Budget

MAX_INBOUND_STREAMS = 64
MAX_BUFFERED = 4 * 1024 * 1024  # unread bytes of all streams of a connection
MAX_OF_STRANGER = 1024 * 1024  # of a peer that nobody knows: unread, and unsent
ENOUGH_QUEUED = 512 * 1024  # unsent bytes at which writers wait
ENOUGH_OF_STRANGER = 64 * 1024
MOST_TOGETHER = 16 * 1024 * 1024  # unread bytes of all strangers
MAX_QUEUED = 2 * 1024 * 1024  # unsent bytes that a peer which does not read may provoke with pings and new streams
READ_RATE = 32 * 1024 * 1024  # bytes per second of one connection; a peer that sends more is read more slowly
FRAME_COST = 4 * 1024  # what a frame costs besides its bytes: 8 000 empty ones per second
KEEPALIVE_S = 30.0
SILENCE_S = 75.0
HALF_CLOSED_S = 60.0
CLOSE_S = 0.5
NORMAL, UNNEEDED = 0, 0x1006  # what a goodbye says; GARBAGE_COLLECTED of libp2p's connection error codes
NAP_S = 0.25  # between two looks at what a peer owes: that may be forgiven at any time


class ProtocolBroken(Exception):
    """The peer does not speak yamux, exceeds a limit, or says goodbye: the connection is closed."""


async def _free(_messages: int, _frames: int, _size: int) -> None:
    """What a connection is charged before the swarm has it."""


class QuietYamux(IMuxedConn):
    """One connection and its streams, with the attributes that the swarm and its connections use."""

    def __init__(self, conn: ISecureConn, peer_id: ID, *, is_initiator: bool) -> None:
        self.secured_conn = conn
        self.peer_id = peer_id
        self.event_started = trio.Event()
        self.event_closed = trio.Event()
        self.on_close: Callable[[], Awaitable[Any]] | None = None  # set by the swarm's connection
        # set by the swarm: charges encrypted messages, frames in them, and bytes to the peer, and waits while it owes
        self.toll: Callable[[int, int, int], Awaitable[None]] = _free
        self.is_stranger: Callable[[], bool] = lambda: True  # set by the swarm
        self.is_crowded: Callable[[], bool] = lambda: False  # set by the swarm: strangers have too much unread
        self.streams: dict[int, QuietStream] = {}
        self.goodbye = NORMAL  # said when this side closes
        self.farewell: int | None = None  # what the peer said
        self._initiator = is_initiator
        self._next_id = 1 if is_initiator else 2
        self._accepted, self._to_accept = trio.open_memory_channel[QuietStream](MAX_INBOUND_STREAMS)
        self._slots: set[QuietStream] = set()  # of inbound streams
        self._out = bytearray()
        self._wanted = trio.Event()  # something is queued
        self._sent = trio.Event()  # the writer took everything
        self._closing = False
        self._heard_at = 0.0
        self._scope = trio.CancelScope()

    @property
    def is_initiator(self) -> bool:
        """True on the side that dialled."""
        return self._initiator

    @property
    def is_established(self) -> bool:
        """True from `start` until the connection closes."""
        return self.event_started.is_set() and not self._closing

    @property
    def is_closed(self) -> bool:
        """True when the connection is gone."""
        return self.event_closed.is_set()

    def get_transport_addresses(self) -> list[Multiaddr]:
        """The remote address of the transport."""
        return self.secured_conn.get_transport_addresses()

    def get_connection_type(self) -> ConnectionType:
        """Direct or relayed."""
        return self.secured_conn.get_connection_type()

    def get_remote_address(self) -> tuple[str, int] | None:
        """The remote host and port of the transport."""
        return self.secured_conn.get_remote_address()

    async def is_heard(self, seconds: float) -> bool:
        """Whether anything comes from the peer within that time, at the latest the answer to a ping."""
        before, waited_until = self._heard_at, trio.current_time() + seconds
        self.queue(HEADER.pack(0, PING, SYN, 0, 0))
        while self._heard_at == before and not self._closing and trio.current_time() < waited_until:  # noqa: ASYNC110 - rare
            await trio.sleep(NAP_S)
        return self._heard_at != before

    # Streams.

    async def open_stream(self) -> QuietStream:
        """A new stream, usable at once. Raises MuxedStreamError on a connection that ends."""
        if self._closing:
            raise MuxedStreamError("the connection is closing")
        stream = QuietStream(self._next_id, self, opened_here=True)
        self._next_id += 2
        self.streams[stream.stream_id] = stream
        self.queue(HEADER.pack(0, WINDOW_UPDATE, SYN, stream.stream_id, 0))
        return stream

    async def accept_stream(self) -> QuietStream:
        """The next stream that the peer opened. Raises MuxedConnUnavailable when the connection ends."""
        try:
            return await self._to_accept.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError) as error:
            raise MuxedConnUnavailable("the connection is closed") from error

    def settle(self, stream: QuietStream) -> None:
        """Forget a stream that has ended in both directions; its slot is free once its handler has ended too."""
        if stream.done:
            if self.streams.get(stream.stream_id) is stream:
                del self.streams[stream.stream_id]
            if not stream.served:
                self._slots.discard(stream)

    def release(self, stream: QuietStream) -> None:
        """The handler of an inbound stream has ended. Until then its slot is taken, even if the peer resets it."""
        stream.served = False
        self.settle(stream)

    # Running.

    async def start(self) -> None:
        """Run the connection until it ends. Never raises for what the peer does."""
        self._heard_at = trio.current_time()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_all)
                    nursery.start_soon(self._keep)
                    self.event_started.set()
                    await self._read_all()
                    nursery.cancel_scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await self._finish()

    async def close(self) -> None:
        """Say goodbye and close, within half a second. May be called twice."""
        if not self._closing:
            self.queue(HEADER.pack(0, GO_AWAY, 0, 0, self.goodbye))
            self._closing = True
            with trio.move_on_after(CLOSE_S):
                await self._sent.wait()
        await self._finish()

    async def _finish(self) -> None:
        self._closing = True
        if self.event_closed.is_set():
            return
        self.event_closed.set()
        self._sent.set()
        self._accepted.close()
        for stream in list(self.streams.values()):
            stream.on_reset()
        self.streams.clear()
        await self._close_transport()
        self._scope.cancel()
        if self.on_close is not None:
            await self.on_close()

    async def _close_transport(self) -> None:
        try:
            await self.secured_conn.close()
        except Exception:  # noqa: BLE001 - closing what is already broken; there is nothing left to do about it
            return

    async def _keep(self) -> None:
        """Close a silent connection, ping a quiet one, and reset streams that the peer never closes."""
        while True:
            await trio.sleep(KEEPALIVE_S)
            now = trio.current_time()
            if now - self._heard_at > SILENCE_S:
                self._scope.cancel()
            self.queue(HEADER.pack(0, PING, SYN, 0, 0))
            for stream in list(self.streams.values()):
                if stream.half_closed_at is not None and now - stream.half_closed_at > HALF_CLOSED_S:
                    await stream.reset()

    # Writing.

    def queue(self, frame: bytes) -> None:
        """Send a frame soon, without waiting; a connection whose queue overflows ends."""
        if self._closing:
            return
        self._out += frame
        self._sent = trio.Event() if self._sent.is_set() else self._sent
        self._wanted.set()
        if len(self._out) > MAX_OF_STRANGER and (len(self._out) > MAX_QUEUED or self.is_stranger()):
            self._scope.cancel()

    @property
    def is_busy(self) -> bool:
        """True while a writer would have to wait, and on a connection that ends."""
        return self._closing or self._is_full()

    def _is_full(self) -> bool:
        queued = len(self._out)
        return queued > ENOUGH_OF_STRANGER and (queued > ENOUGH_QUEUED or self.is_stranger())

    async def send(self, frame: bytes) -> None:
        """Queue a frame and wait only while too much is queued. Raises MuxedStreamError when the connection ends."""
        if self._closing:
            raise MuxedStreamError("the connection is closed")
        self.queue(frame)
        if self._is_full():
            await self._sent.wait()
        else:
            await trio.lowlevel.checkpoint_if_cancelled()

    async def _write_all(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            data, self._out = bytes(self._out), bytearray()
            try:
                await self.secured_conn.write(data)
            except Exception:  # noqa: BLE001 - many kinds, one meaning: nothing can be sent any more
                self._scope.cancel()
            if not self._out:
                self._sent.set()

    # Reading.

    async def _read_all(self) -> None:
        pending = bytearray()
        pace = Budget(READ_RATE, 2 * READ_RATE, trio.current_time())
        while not self._closing:
            try:
                data = await self.secured_conn.read()
                self._heard_at = trio.current_time()
                pending += data
                frames = self._dispatch(pending)
                pause_s = pace.owe(len(data) + FRAME_COST * frames, self._heard_at)
                if pause_s:
                    await trio.sleep(pause_s)
                await self.toll(getattr(self.secured_conn, "opened", 1), frames, len(data))
            except Exception:  # noqa: BLE001 - the layers below raise many kinds; each means that this connection is over
                return

    def _dispatch(self, pending: bytearray) -> int:
        """Take every complete frame off the front of `pending`; how many there were."""
        frames, offset, size = 0, 0, len(pending)
        while size - offset >= HEADER.size:
            version, kind, flags, stream_id, length = HEADER.unpack_from(pending, offset)
            if kind == GO_AWAY:
                self.farewell = length
            if version != 0 or kind >= GO_AWAY or (kind == DATA and length > WINDOW):
                raise ProtocolBroken
            end = offset + HEADER.size + (length if kind == DATA else 0)
            if end > size:
                break
            if kind == PING:
                self._on_ping(flags, length)
            else:
                data = bytes(pending[offset + HEADER.size : end])
                self._on_frame(stream_id, flags, data, length if kind == WINDOW_UPDATE else 0)
            frames, offset = frames + 1, end
        del pending[:offset]
        return frames

    def _on_ping(self, flags: int, value: int) -> None:
        if flags & SYN:
            self.queue(HEADER.pack(0, PING, ACK, 0, value))

    def _on_frame(self, stream_id: int, flags: int, data: bytes, increment: int) -> None:
        stream = self._admit(stream_id) if flags & SYN else self.streams.get(stream_id)
        if stream is None:
            return
        if increment:
            stream.on_credit(increment)
        if data and not (stream.on_data(data) and self._within_bounds(stream)):
            raise ProtocolBroken
        if flags & RST:
            stream.on_reset()
        elif flags & FIN:
            stream.on_fin()
        self.settle(stream)

    def _within_bounds(self, stream: QuietStream) -> bool:
        if len(stream.buffer) < UPDATE_AT:
            return True
        buffered = self.buffered
        if self.is_stranger():
            return buffered <= MAX_OF_STRANGER and not self.is_crowded()
        return buffered <= MAX_BUFFERED

    @property
    def buffered(self) -> int:
        """Bytes that the peer sent and nobody has read."""
        return sum(len(stream.buffer) for stream in self.streams.values())

    def _admit(self, stream_id: int) -> QuietStream | None:
        theirs = stream_id % 2 == (0 if self._initiator else 1)
        if not theirs or stream_id in self.streams or len(self._slots) >= MAX_INBOUND_STREAMS:
            self.queue(HEADER.pack(0, WINDOW_UPDATE, RST, stream_id, 0))
            return None
        stream = self.streams[stream_id] = QuietStream(stream_id, self, opened_here=False)
        self._slots.add(stream)
        self.queue(HEADER.pack(0, WINDOW_UPDATE, ACK, stream_id, 0))
        self._accepted.send_nowait(stream)  # full when a peer opens and resets faster than streams are taken
        return stream
