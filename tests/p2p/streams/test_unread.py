"""What strangers do not read: held once, bounded for all of them together, and who reads least has to leave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import trio
import trio.testing
from libp2p.peer.id import ID

from musig2.protocol.wire.frame_codec import split, with_length
from p2p.compat.swarm_conn import COUNT_S, UnreadOfStrangers
from p2p.compat.yamux import MOST_TOGETHER
from p2p.streams.links import MOST_UNREAD, Links
from p2p.streams.outbox import PIECE_BYTES, pieces

PARTS = 8
ANSWER = bytes(MOST_UNREAD // PARTS)
FRIEND = b"friend"


class Host:
    """As much of a host as links need; nothing runs."""

    def __init__(self) -> None:
        self.left: list[bytes] = []
        self.swarm = SimpleNamespace(manager=SimpleNamespace(run_task=self._run))

    def get_id(self) -> ID:
        return ID(b"own")

    def set_stream_handler(self, protocol: str, handler: object) -> None:
        pass

    async def disconnect(self, peer: ID) -> None:
        raise AssertionError(peer)

    def _run(self, fn: Any, argument: Any) -> None:
        if fn == self.disconnect:
            self.left.append(argument.to_bytes())


async def nothing(peer: bytes, parts: list[bytes]) -> None:
    raise AssertionError(peer, parts)


def links_of(host: Any) -> Links:
    return Links(
        host,
        "/test",
        max_frame_bytes=2**20,
        rates=(1e9, 1e9),
        outbox=(4_096, 2 * MOST_UNREAD, 2 * MOST_UNREAD),
        is_stranger=lambda peer: peer != FRIEND,
        deliver=nothing,
        blame=lambda peer, unreadable: None,
    )


async def put(links: Links, peer: bytes) -> None:
    """An answer for a peer that reads nothing, a second after what was before."""
    link = links.of(peer)
    links.make_room(link, len(ANSWER))
    link.outbox.put([ANSWER])
    await trio.sleep(1)


def test_of_strangers_that_read_nothing_the_one_that_reads_least_leaves_for_a_newcomer() -> None:
    async def main() -> None:
        host = Host()
        links = links_of(host)
        for number in range(PARTS):
            await put(links, b"%d" % number)
        links.of(b"0").since = trio.current_time()  # it has read something
        assert host.left == []
        await put(links, b"newcomer")
        assert host.left == [b"1"]
        assert links.of(b"1").outbox.closed

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_known_peer_does_not_leave_for_strangers() -> None:
    async def main() -> None:
        host = Host()
        links = links_of(host)
        for peer in (FRIEND, *(b"%d" % number for number in range(PARTS + 1))):
            await put(links, peer)
        assert host.left == [b"0"]
        assert links.unread(FRIEND) == len(ANSWER)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_of_strangers_that_read_no_frames_of_sessions_the_one_that_reads_least_leaves_too() -> None:
    async def main() -> None:
        host = Host()
        links = links_of(host)
        for peer in (FRIEND, *(b"%d" % number for number in range(PARTS + 1))):
            links.of(peer).outbox.put([ANSWER])  # on the other side: nobody can be sent away there
            links.wake(peer)
            await trio.sleep(1)
        assert host.left == [b"0"]
        assert sum(links.unread(b"%d" % number) for number in range(PARTS + 1)) <= MOST_UNREAD

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_stranger_that_was_sent_nothing_for_long_is_not_the_one_that_reads_least() -> None:
    async def main() -> None:
        host = Host()
        links = links_of(host)
        quiet = links.of(b"quiet")
        await trio.sleep(1)
        for number in range(PARTS):
            await put(links, b"%d" % number)
        quiet.resting = True  # its writer has nothing to do
        quiet.outbox.put([ANSWER])
        links.wake(b"quiet")
        assert host.left == [b"0"]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_frames_are_whole_after_they_were_cut_and_put_together() -> None:
    frames = [b"a", bytes(3 * PIECE_BYTES), b"b" * 100, b"c" * PIECE_BYTES, b"d"]
    cut = list(pieces(frames))
    assert split(bytearray(b"".join(cut)), max_bytes=2**20) == frames
    assert max(map(len, cut)) < 2 * PIECE_BYTES + 100
    assert list(pieces([b"short", b"too"])) == [with_length(b"short") + with_length(b"too")]


def test_what_strangers_have_unread_is_counted_now_and_then_and_not_for_each_frame() -> None:
    async def main() -> None:
        counts = 0

        def all_here() -> list[Any]:
            nonlocal counts
            counts += 1
            return [SimpleNamespace(buffered=bytes_, is_stranger=lambda: True) for bytes_ in (waiting, 1)]

        waiting, unread = MOST_TOGETHER - 1, UnreadOfStrangers(all_here)
        assert not any(unread.is_too_much() for _ in range(1_000))
        assert counts == 1
        waiting += 1
        await trio.sleep(COUNT_S)
        assert unread.is_too_much()
        waiting -= 1  # who has sent most has left
        assert not unread.is_too_much()
        assert counts == 3

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
