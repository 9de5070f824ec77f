"""Frames between two nodes: both ways, in order, bounded, and again after a break."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Sequence

import pytest
import trio
from libp2p.peer.id import ID

from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Frame, Have, Signed
from p2p.addresses import Multiaddr
from p2p.compat.host import GuardedHost
from p2p.network import Offence
from tests.p2p.nodes import TestNode, eventually, identified, network, networks
from tests.p2p.p2p_world import Signer, forged, have

pytestmark = pytest.mark.network


def numbers(node: TestNode) -> list[int]:
    return [int.from_bytes(frame.request, "big") for _, frame in node.sink.frames if isinstance(frame, Have)]


async def test_frames_travel_both_ways_over_one_stream_in_order() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        for number in range(500):
            assert anna.send(ben.peer, [have(number)])
            assert ben.send(anna.peer, [have(number)])
        await ben.sink.until(lambda: len(ben.sink.frames) == 500)
        await anna.sink.until(lambda: len(anna.sink.frames) == 500)
        assert numbers(ben) == numbers(anna) == list(range(500))
        assert {peer for peer, _ in ben.sink.frames} == {anna.peer}


async def test_one_stream_remains_when_both_began_to_send_at_once() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        anna.send(ben.peer, [have(1)])
        ben.send(anna.peer, [have(1)])
        await ben.sink.until(lambda: ben.sink.frames)
        await anna.sink.until(lambda: anna.sink.frames)
        for number in range(2, 20):
            anna.send(ben.peer, [have(number)])
            ben.send(anna.peer, [have(number)])
            await ben.sink.until(lambda number=number: number in numbers(ben))
            await anna.sink.until(lambda number=number: number in numbers(anna))
        assert (await anna.stats()).session_streams == (await ben.stats()).session_streams == 1


async def test_two_that_dial_each_other_at_once_can_talk() -> None:
    async with networks(2) as (anna, ben):
        await asyncio.gather(anna.connect(ben.address), ben.connect(anna.address))
        assert anna.send(ben.peer, [have(1)])
        assert ben.send(anna.peer, [have(2)])
        await ben.sink.until(lambda: numbers(ben) == [1])
        await anna.sink.until(lambda: numbers(anna) == [2])


async def test_of_two_redundant_connections_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2p.compat.swarm.DOUBLE_S", 0.2)
    async with networks(2) as (anna, ben):
        await asyncio.gather(anna.connect(ben.address), ben.connect(anna.address))

        async def single() -> bool:
            return (await anna.stats()).connections == (await ben.stats()).connections == 1

        await eventually(single)
        assert anna.send(ben.peer, [have(1)])
        await ben.sink.until(lambda: numbers(ben) == [1])
        assert [change.connected for change in anna.sink.changes] == [True]


async def test_when_the_connection_ends_over_which_a_peer_was_asked_who_it_is_the_other_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("p2p.compat.swarm.DOUBLE_S", 3_600.0)
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await identified(anna, ben)
        ended = await anna.inside(lambda node: ask_over_one_that_ends(node.host, ben))
        assert isinstance(ended, trio.BrokenResourceError)
        assert (await anna.stats()).connections == 1
        assert [change.connected for change in anna.sink.changes] == [True]


async def ask_over_one_that_ends(host: GuardedHost, other: TestNode) -> Exception | None:
    """Connect once more, and lose that connection in the middle of the question. Answers what the question raised."""
    peer = ID(other.peer)
    await host.swarm._dial_addr_single_attempt(Multiaddr(other.address.partition("/p2p/")[0]), peer)

    async def fail(peer_id: ID, *, reason: str) -> None:
        await host.swarm.live(peer_id)[1].close()
        raise trio.BrokenResourceError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "_identify_peer", fail)
        patch.setattr(host, "_schedule_identify", lambda peer_id, *, reason: None)
        try:
            await host._identify_task_entry(peer, "test")
        except trio.BrokenResourceError as error:
            return error
    return None


async def test_frames_that_arrive_while_the_daemon_is_busy_are_handed_over_in_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        await identified(anna, ben)
        all_there = handed_over(ben, 1_000, monkeypatch)
        assert anna.send(ben.peer, [have(number) for number in range(1_000)])
        await asyncio.sleep(0)  # the sending thread is woken
        told = ben.sink.bursts
        assert all_there.wait(timeout=180)  # this loop takes nothing meanwhile
        await ben.sink.until(lambda: len(ben.sink.frames) == 1_000)
        assert ben.sink.bursts - told == 1


def handed_over(node: TestNode, count: int, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set by the thread of libp2p when it has handed over that many frames."""
    there, left = threading.Event(), [count]
    hand_over = node._mirror.frames

    def counted(peer: bytes, frames: Sequence[Frame]) -> None:
        hand_over(peer, frames)
        left[0] -= len(frames)
        if left[0] <= 0:
            there.set()

    monkeypatch.setattr(node._mirror, "frames", counted)
    return there


async def test_a_large_frame_arrives_whole() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        signers = [Signer() for _ in range(2)]
        frames = [encode_frame(signer.message()) for signer in signers for _ in range(1_500)]
        assert anna.send(ben.peer, frames)
        await ben.sink.until(lambda: len(ben.sink.frames) == 3_000)


async def test_nothing_is_sent_to_a_stranger_or_past_the_bound_of_the_outbox() -> None:
    async with networks(2, outbox_frames=10, outbox_bytes=2_000) as (anna, ben):
        assert not anna.send(ben.peer, [have(0)])
        await anna.meet(ben)
        assert not anna.send(ben.peer, [have(number) for number in range(11)])
        assert not anna.send(ben.peer, [b"x" * 2_001])
        assert anna.send(ben.peer, [have(number) for number in range(10)])
        assert not anna.send(ben.peer, [have(10)])
        await ben.sink.until(lambda: numbers(ben) == list(range(10)))
        assert anna.send(ben.peer, [have(11)])


async def test_a_record_is_delivered_only_if_its_signature_holds() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        good, bad = Signer().message(1), Signer().message(2)
        broken = Signed(bad.record, bad.id, forged(bad))
        assert anna.send(ben.peer, [encode_frame(frame) for frame in (broken, good)] + [b"\xff", have(3)])
        await ben.sink.until(lambda: len(ben.sink.frames) == 2)
        assert ben.sink.frames[0][1] == good
        assert {kind for _, kind in ben.sink.offences} == {Offence.BAD_ENCODING, Offence.BAD_SIGNATURE}


async def test_frames_flow_again_with_a_peer_that_was_killed_and_came_back() -> None:
    name, seed = f"t-{secrets.token_hex(6)}", secrets.token_bytes(32)
    async with network(network=name) as anna:
        async with network(seed, network=name) as ben:
            await anna.meet(ben)
            anna.send(ben.peer, [have(1)])
            await ben.sink.until(lambda: ben.sink.frames)
            bound = tuple(address.partition("/p2p/")[0] for address in ben.multiaddrs())
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        assert not anna.send(ben.peer, [have(2)])
        async with network(seed, network=name, listen=bound) as again:
            assert await anna.dial(again.peer, ())
            assert anna.send(again.peer, [have(3)])
            await again.sink.until(lambda: numbers(again) == [3])
            again.send(anna.peer, [have(4)])
            await anna.sink.until(lambda: numbers(anna) == [4])
        assert [change.connected for change in anna.sink.changes][:3] == [True, False, True]


async def test_a_stream_that_breaks_is_opened_again() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        anna.send(ben.peer, [have(1)])
        await ben.sink.until(lambda: ben.sink.frames)
        await ben._call(reset_streams)
        await anna._call(until_streams_are_gone)  # what is written before is lost with the stream
        anna.send(ben.peer, [have(2)])
        await ben.sink.until(lambda: 2 in numbers(ben))
        assert anna.connected(ben.peer)


def reset_streams(node):  # type: ignore[no-untyped-def] # reaches into the trio side
    async def reset() -> None:
        for link in list(node.sessions._links.values()):
            for line in list(link.lines):
                await line.stream.reset()

    return reset


def until_streams_are_gone(node):  # type: ignore[no-untyped-def] # as above
    async def gone() -> None:
        while node.sessions.open_streams:
            await trio.lowlevel.checkpoint()

    return gone


async def test_a_peer_that_reads_nothing_holds_up_nobody_else() -> None:
    async with networks(3, outbox_frames=50_000) as (anna, ben, cleo):
        await anna.meet(ben)
        await anna.meet(cleo)
        await ben._call(deafen)
        junk = [have(0)] * 20_000
        assert anna.send(ben.peer, junk)
        assert anna.send(cleo.peer, [have(1)])
        await cleo.sink.until(lambda: numbers(cleo) == [1])
        assert anna.send(cleo.peer, [have(2)])
        await cleo.sink.until(lambda: numbers(cleo) == [1, 2])


def deafen(node):  # type: ignore[no-untyped-def] # reaches into the trio side
    async def stop_reading() -> None:
        node.sessions._rates = (0.001, 1.0)
        node.sessions._links.clear()

    return stop_reading


async def test_frames_that_not_every_version_knows_wait_until_the_peer_says_that_it_takes_them() -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        anna.send_optional(ben.peer, [have(1)])
        await identified(anna)
        anna.send_optional(ben.peer, [have(2)])
        await ben.sink.until(lambda: len(ben.sink.frames) == 2)
        assert numbers(ben) == [1, 2]


async def test_a_peer_of_an_older_version_never_gets_them() -> None:
    async with networks(2) as (anna, ben):
        await ben.inside(lambda node: node.host.remove_stream_handler(node._optional))
        await anna.meet(ben)
        anna.send_optional(ben.peer, [have(1)])
        await identified(anna)
        anna.send_optional(ben.peer, [have(2)])
        anna.send(ben.peer, [have(3)])
        await ben.sink.until(lambda: ben.sink.frames)
        assert numbers(ben) == [3]
