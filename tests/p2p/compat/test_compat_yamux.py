"""The multiplexer: understands the library's, is bounded, and never waits for a peer that does not read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamEOF, MuxedStreamError, MuxedStreamReset
from libp2p.stream_muxer.yamux.yamux import Yamux

from p2p.compat import yamux
from p2p.compat.yamux import QuietYamux
from p2p.compat.yamux_stream import DATA, HEADER, PING, RST, SYN, UPDATE_AT, WINDOW, WINDOW_UPDATE

PEER = ID(b"peer")


class Wire:
    """One end of a connection in memory, with the names of a secured connection."""

    def __init__(self, stream: Any, *, dialled: bool) -> None:
        self.stream = stream
        self.is_initiator = dialled
        self.writes: list[bytes] = []

    async def read(self, n: int | None = None) -> bytes:
        data = bytes(await self.stream.receive_some(n))
        if not data:
            raise ConnectionClosedError("closed")
        return data

    async def write(self, data: bytes) -> None:
        self.writes.append(data)
        await self.stream.send_all(data)

    async def close(self) -> None:
        await self.stream.aclose()


@asynccontextmanager
async def pair(other: Callable[[Wire], Any] | None = None):  # type: ignore[no-untyped-def] # two muxers, running
    ours, theirs = (
        Wire(stream, dialled=first)
        for stream, first in zip(trio.testing.memory_stream_pair(), (True, False), strict=True)
    )
    one: Any = QuietYamux(ours, PEER, is_initiator=True)  # type: ignore[arg-type] # a stand-in with the names used
    two: Any = other(theirs) if other else QuietYamux(theirs, PEER, is_initiator=False)  # type: ignore[arg-type] # as above
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.start)
        nursery.start_soon(two.start)
        await one.event_started.wait()
        await two.event_started.wait()
        yield one, two
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def raw():  # type: ignore[no-untyped-def] # a muxer and a bare wire that can send it anything
    ours, theirs = trio.testing.memory_stream_pair()
    muxer: Any = QuietYamux(Wire(ours, dialled=False), PEER, is_initiator=False)  # type: ignore[arg-type] # as above
    async with trio.open_nursery() as nursery:
        nursery.start_soon(muxer.start)
        await muxer.event_started.wait()
        yield muxer, Wire(theirs, dialled=True)
        nursery.cancel_scope.cancel()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        with trio.fail_after(10):
            await test()

    trio.run(bounded)


async def read_all(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.read(1 << 20)
    return data


def library(wire: Wire) -> Yamux:
    return Yamux(wire, PEER, is_initiator=False)  # type: ignore[arg-type] # as above


@pytest.mark.parametrize("other", [None, library], ids=["itself", "the library's"])
def test_it_talks_to(other: Callable[[Wire], Any] | None) -> None:
    async def test() -> None:
        async with pair(other) as (one, two):
            opened = await one.open_stream()
            await opened.write(b"hello")
            accepted = await two.accept_stream()
            assert await read_all(accepted, 5) == b"hello"
            payload = bytes(range(256)) * 4_096  # four windows
            async with trio.open_nursery() as nursery:
                nursery.start_soon(accepted.write, payload)
                assert await read_all(opened, len(payload)) == payload
            async with trio.open_nursery() as nursery:
                nursery.start_soon(opened.write, payload)
                assert await read_all(accepted, len(payload)) == payload
            back = await two.open_stream()
            await back.write(b"from the other side")
            assert await read_all(await one.accept_stream(), 19) == b"from the other side"
            await opened.close()
            with pytest.raises(MuxedStreamEOF):
                await accepted.read(1)
            await accepted.close()
            with pytest.raises((MuxedStreamEOF, MuxedStreamReset)):
                await opened.read(1)

    run(test)


def test_a_reset_is_seen_after_what_was_sent_before_it() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            opened = await one.open_stream()
            await opened.write(b"last words")
            accepted = await two.accept_stream()
            await trio.testing.wait_all_tasks_blocked()
            await opened.reset()
            await trio.testing.wait_all_tasks_blocked()
            assert await accepted.read() == b"last words"
            with pytest.raises(MuxedStreamReset):
                await accepted.read()
            assert one.streams == two.streams == {}

    run(test)


def test_credit_is_returned_in_large_pieces_not_at_each_read() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            opened = await one.open_stream()
            await opened.write(b"x" * (UPDATE_AT - 1))
            accepted = await two.accept_stream()
            for _ in range(UPDATE_AT - 1):
                await accepted.read(1)
            await trio.testing.wait_all_tasks_blocked()
            updates = [data for data in two.secured_conn.writes if data[1] == WINDOW_UPDATE and not data[3]]
            assert updates == []
            await opened.write(b"x")
            await accepted.read(1)
            await trio.testing.wait_all_tasks_blocked()
            assert two.secured_conn.writes[-1] == HEADER.pack(0, WINDOW_UPDATE, 0, 1, UPDATE_AT)

    run(test)


def test_small_frames_that_wait_go_out_in_one_write() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            streams = [await one.open_stream() for _ in range(3)]
            await trio.testing.wait_all_tasks_blocked()
            before = len(one.secured_conn.writes)
            for stream in streams:
                await stream.write(b"x")
            await trio.testing.wait_all_tasks_blocked()
            assert len(one.secured_conn.writes) == before + 1
            assert len(two.streams) == 3

    run(test)


def test_a_writer_without_credit_waits_and_the_others_go_on() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            slow, quick = await one.open_stream(), await one.open_stream()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(slow.write, bytes(2 * WINDOW))
                await trio.testing.wait_all_tasks_blocked()
                await quick.write(b"still here")
                unread, other = await two.accept_stream(), await two.accept_stream()
                assert await other.read() == b"still here"
                assert len(unread.buffer) == WINDOW
                await read_all(unread, 2 * WINDOW)

    run(test)


def test_a_cancelled_write_leaves_whole_frames_on_the_wire() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            stream = await one.open_stream()
            with trio.CancelScope() as scope:
                scope.cancel()
                await stream.write(b"never mind")
            other = await one.open_stream()
            await other.write(b"fine")
            accepted = [await two.accept_stream() for _ in range(2)]
            assert await accepted[1].read() == b"fine"

    run(test)


@pytest.mark.parametrize(
    "frame",
    [
        HEADER.pack(1, DATA, 0, 1, 0),
        HEADER.pack(0, 9, 0, 1, 0),
        HEADER.pack(0, DATA, SYN, 1, WINDOW + 1),
        HEADER.pack(0, DATA, SYN, 1, WINDOW) + bytes(WINDOW) + HEADER.pack(0, DATA, 0, 1, 1) + b"x",
        b"".join(
            HEADER.pack(0, DATA, SYN if not part else 0, number, 65_536) + bytes(65_536)
            for number in range(1, 41, 2)
            for part in range(4)
        ),
    ],
    ids=["version", "kind", "too large", "beyond the window", "too much unread"],
)
def test_a_peer_that_breaks_the_rules_loses_its_connection(frame: bytes) -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            with trio.move_on_after(5):
                await wire.stream.send_all(frame)
                await muxer.event_closed.wait()
            assert muxer.is_closed
            assert muxer.streams == {}

    run(test)


def test_streams_beyond_the_limit_are_refused_and_the_others_live() -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            count = yamux.MAX_INBOUND_STREAMS + 5
            await wire.stream.send_all(
                b"".join(HEADER.pack(0, WINDOW_UPDATE, SYN, 2 * number + 1, 0) for number in range(count))
            )
            await trio.testing.wait_all_tasks_blocked()
            assert len(muxer.streams) == yamux.MAX_INBOUND_STREAMS
            assert not muxer.is_closed

    run(test)


def test_a_stream_that_was_reset_keeps_its_place_until_whoever_serves_it_has_ended() -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            for number in range(1, 401, 2):
                opened_and_reset = (HEADER.pack(0, WINDOW_UPDATE, flags, number, 0) for flags in (SYN, RST))
                await wire.stream.send_all(b"".join(opened_and_reset))
            await trio.testing.wait_all_tasks_blocked()
            assert not muxer.is_closed
            taken = [await muxer.accept_stream() for _ in range(yamux.MAX_INBOUND_STREAMS)]
            with pytest.raises(trio.WouldBlock):
                muxer._to_accept.receive_nowait()
            for stream in taken[:3]:
                muxer.release(stream)
            await wire.stream.send_all(
                b"".join(HEADER.pack(0, WINDOW_UPDATE, SYN, number, 0) for number in range(401, 411, 2))
            )
            await trio.testing.wait_all_tasks_blocked()
            assert len(muxer.streams) == 3

    run(test)


def test_many_small_frames_are_read_more_slowly_than_their_bytes_alone_would_be() -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            frames = 4 * yamux.READ_RATE // yamux.FRAME_COST
            await wire.stream.send_all(HEADER.pack(0, WINDOW_UPDATE, 0, 1, 0) * frames)
            await wire.stream.send_all(HEADER.pack(0, WINDOW_UPDATE, SYN, 1, 0))
            await muxer.accept_stream()

    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(test, clock=clock)
    assert clock.current_time() >= 1.9


def test_a_stream_that_the_peer_may_not_open_is_refused() -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            await wire.stream.send_all(HEADER.pack(0, WINDOW_UPDATE, SYN, 2, 0))
            assert await wire.read(HEADER.size) == HEADER.pack(0, WINDOW_UPDATE, RST, 2, 0)
            assert muxer.streams == {}

    run(test)


def test_pings_are_answered_and_a_flood_of_them_unread_ends_the_connection() -> None:
    async def test() -> None:
        async with raw() as (muxer, wire):
            await wire.stream.send_all(HEADER.pack(0, PING, SYN, 0, 77))
            assert await wire.read(HEADER.size) == HEADER.pack(0, PING, 2, 0, 77)
            muxer._out += bytes(yamux.MAX_QUEUED)
            await wire.stream.send_all(HEADER.pack(0, PING, SYN, 0, 78))
            await muxer.event_closed.wait()

    run(test)


def test_a_silent_peer_is_pinged_and_then_disconnected() -> None:
    clock = trio.testing.MockClock(autojump_threshold=0.01)

    async def test() -> None:
        async with raw() as (muxer, wire):
            assert await wire.read(HEADER.size) == HEADER.pack(0, PING, SYN, 0, 0)
            await muxer.event_closed.wait()
            assert trio.current_time() > yamux.SILENCE_S

    trio.run(test, clock=clock)


def test_a_stream_that_the_peer_never_closes_is_swept() -> None:
    clock = trio.testing.MockClock(autojump_threshold=0.01)

    async def test() -> None:
        async with pair() as (one, two):
            opened = await one.open_stream()
            await opened.write(b"x")
            await two.accept_stream()
            await opened.close()
            assert one.streams
            await trio.sleep(yamux.HALF_CLOSED_S + yamux.KEEPALIVE_S + 1)
            assert one.streams == two.streams == {}

    trio.run(test, clock=clock)


def test_the_end_of_a_connection_ends_everything_that_waits_for_it() -> None:
    async def test() -> None:
        ended = []

        async def note(wait: Callable[[], Awaitable[Any]], error: type[Exception]) -> None:
            with pytest.raises(error):
                await wait()
            ended.append(error)

        async with pair() as (one, two):
            stream = await one.open_stream()
            await stream.write(b"x")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(note, stream.read, MuxedStreamReset)
                nursery.start_soon(note, lambda: stream.write(bytes(2 * WINDOW)), MuxedStreamReset)
                nursery.start_soon(note, one.accept_stream, MuxedConnUnavailable)
                await trio.testing.wait_all_tasks_blocked()
                await two.close()
            assert len(ended) == 3
            with pytest.raises(MuxedStreamError):
                await one.open_stream()
            assert one.is_closed

    run(test)


def test_a_half_closed_stream_can_still_be_read() -> None:
    async def test() -> None:
        async with pair() as (one, two):
            opened = await one.open_stream()
            await opened.write(b"question")
            await opened.close()
            accepted = await two.accept_stream()
            assert await accepted.read() == b"question"
            await accepted.write(b"answer")
            assert await opened.read() == b"answer"

    run(test)
