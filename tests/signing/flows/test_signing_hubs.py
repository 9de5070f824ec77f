"""Daemons that meet at hubs: whom they dial, and what becomes of a session whose hub dies or lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from daemon.signing.limits import SigningLimits
from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import Message
from musig2.protocol.wire.frame_codec import encode_frame, open_frame
from musig2.protocol.wire.frames import Signed
from tests.signing.memory_net import LONGEST_S, MAX_FRAME, MemoryNet
from tests.signing.signing_world import Daemon, World, announce, join, signatures

MakeWorld = Callable[..., World]
COUNT = 6
NEVER_MS = 3_600_000


def meeting(make_world: MakeWorld, spare_pause_ms: int) -> World:
    """A world in which more than three signers meet at hubs."""
    return make_world(limits=SigningLimits(mesh=3, first_pause_ms=20, spare_pause_ms=spare_pause_ms))


def links(daemons: Sequence[Daemon]) -> int:
    return sum(len(daemon.net.links) for daemon in daemons if daemon.net is not None) // 2


async def until_linked(world: World, count: int) -> None:
    """Wait until there are so many links."""
    enough, connect = asyncio.Event(), world.hub.connect

    def watched(one: bytes, other: bytes) -> bool:
        connected = connect(one, other)
        if links(world.daemons) >= count:
            enough.set()
        return connected

    world.hub.connect = watched  # type: ignore[method-assign]  # watches the real thing
    if links(world.daemons) < count:
        await asyncio.wait_for(enough.wait(), LONGEST_S)


def in_order(daemons: Sequence[Daemon], request: str) -> list[Daemon]:
    """The hubs, the creator first."""
    entry = next(entry for entry in daemons[0].service._roster if entry.request.id.hex() == request)
    keys = [entry.request.record.keys[index] for index in entry.machine.hubs()]
    return [next(daemon for daemon in daemons if daemon.key == key) for key in keys]


async def begun(daemons: Sequence[Daemon]) -> tuple[str, str]:
    """A request whose nonces all have; every owner starts round 2 by hand."""
    announced = await announce(daemons[0], daemons, autoAdvance=False)
    request, session = announced["requestId"], announced["sessionId"]
    await asyncio.gather(*(join(daemon, request, autoAdvance=False) for daemon in daemons[1:]))
    for daemon in daemons:
        await daemon.call("startRound1", sessionId=session)
    for daemon in daemons:
        await daemon.until("round1:complete", sessionId=session)
    return request, session


async def test_a_session_that_goes_well_needs_the_links_to_its_creator_only(make_world: MakeWorld) -> None:
    world = meeting(make_world, NEVER_MS)
    daemons = await world.grow(COUNT)
    request = (await announce(daemons[0], daemons))["requestId"]
    await asyncio.gather(*(join(daemon, request) for daemon in daemons[1:]))
    found = await asyncio.gather(*(signatures(daemon, request) for daemon in daemons))
    assert all(one == found[0] for one in found)
    assert links(daemons) == COUNT - 1


async def test_one_that_lasts_is_connected_to_the_spare_hubs_too(make_world: MakeWorld) -> None:
    world = meeting(make_world, spare_pause_ms=1)
    daemons = await world.grow(COUNT)
    request, session = await begun(daemons)
    hubs = in_order(daemons, request)
    wanted = {frozenset((hub.peer, other.peer)) for hub in hubs for other in daemons if hub is not other}
    await until_linked(world, len(wanted))
    for daemon in daemons:
        await daemon.call("startRound2", sessionId=session)
    await asyncio.gather(*(signatures(daemon, request) for daemon in daemons))
    assert links(daemons) == len(wanted)


async def test_a_session_whose_creator_died_after_its_part_ends_at_a_spare_hub(make_world: MakeWorld) -> None:
    world = meeting(make_world, NEVER_MS)
    daemons = await world.grow(COUNT)
    request, session = await begun(daemons)
    creator, spare, *_ = in_order(daemons, request)
    last = next(daemon for daemon in daemons if daemon not in (creator, spare))
    sent = world.hub.passed(lambda frame: isinstance(frame, Signed) and getattr(frame.record, "seq", 0) == 2)
    waiting = asyncio.create_task(sent)
    await asyncio.sleep(0)
    await creator.call("startRound2", sessionId=session)
    await waiting
    for daemon in daemons:
        if daemon not in (creator, last):
            await daemon.call("startRound2", sessionId=session)
    world.hub.leave(creator.peer)
    await last.call("startRound2", sessionId=session)
    left = [daemon for daemon in daemons if daemon is not creator]
    found = await asyncio.gather(*(signatures(daemon, request) for daemon in left))
    assert all(one == found[0] for one in found)
    assert not any(daemon.told("session:aborted") for daemon in left)


def falsify(net: MemoryNet) -> None:
    """This daemon changes what it passes on of others: one bit of the signature of each message."""
    honest = net.send

    def send(peer: bytes, frames: Sequence[bytes]) -> bool:
        return honest(peer, [_changed(data, net.peer) for data in frames])

    net.send = send  # type: ignore[method-assign]  # lies on the way out


def _changed(data: bytes, own: bytes) -> bytes:
    frame = open_frame(data, max_bytes=MAX_FRAME)
    if not isinstance(frame, Signed) or not isinstance(frame.record, Message) or signer_peer(frame) == own:
        return data
    envelope = bytearray(frame.envelope)
    envelope[-2] ^= 1  # the last byte of the signature: what follows is the missing countersignature
    return encode_frame(Signed(frame.record, frame.id, bytes(envelope)))


async def test_a_hub_that_changes_what_it_passes_on_is_found_out_and_passed_by(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musig2.protocol.request.exchange.FIRST_MS", 50)
    world = meeting(make_world, spare_pause_ms=1)
    daemons = await world.grow(COUNT)
    liar, *honest = daemons
    assert liar.net is not None
    falsify(liar.net)
    request = (await announce(liar, daemons))["requestId"]
    await asyncio.gather(*(join(daemon, request) for daemon in honest))
    await asyncio.gather(*(signatures(daemon, request) for daemon in honest))
    assert all(daemon.net is not None and daemon.net.offences for daemon in honest)
    assert not any(daemon.told("session:aborted") for daemon in honest)
    assert not any(outcome == "failed" for _, outcome in world.book.outcomes)
