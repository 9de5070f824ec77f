"""The room for unsolicited requests is bounded, and no peer that fills it shuts another out."""

from __future__ import annotations

import os
from collections.abc import Callable

from daemon.signing.engine.rooms import SHARES, Berth, Rooms
from daemon.signing.limits import SigningLimits
from musig2.protocol.wire.frames import Answer, Have
from p2p.network import Standing
from tests.signing.mallory import Mallory, unsolicited
from tests.signing.signing_world import World, announce, join, signatures

TOTAL = 20  # of them four for strangers
STRANGERS = int(SHARES[Standing.STRANGER] * TOTAL)


def berth(source: str, *, key: str = "k", standing: Standing = Standing.STRANGER, places: int = 1) -> Berth:
    return Berth(standing, key.encode(), source.encode(), places)


def filled(*sources: str, key: str = "k") -> Rooms:
    """Rooms with one request of each, named r0, r1 and so on."""
    rooms = Rooms(TOTAL)
    for number, source in enumerate(sources):
        rooms.add(b"r%d" % number, berth(source, key=key))
    return rooms


def test_while_there_is_room_no_request_gives_way() -> None:
    rooms = filled("a", "a", "a")
    assert rooms.fits(berth("a"))
    assert not rooms.fits(berth("a", places=2))


def test_the_oldest_of_the_fullest_source_gives_way_to_a_smaller_one() -> None:
    rooms = filled("b", "a", "a", "a")
    assert not rooms.fits(berth("c"))
    assert rooms.gives_way(berth("c")) == b"r1"


def test_the_fullest_source_itself_and_one_that_would_be_as_full_find_no_room() -> None:
    assert filled("a", "a", "a", "b").gives_way(berth("a")) is None
    assert filled("a", "a", "b", "b").gives_way(berth("b")) is None
    assert filled("a", "b", "c", "d").gives_way(berth("e")) is None


def test_the_key_of_which_most_is_asked_gives_way_to_another_whatever_its_sources() -> None:
    rooms = filled("a", "b", "c", "d", key="asked much")
    assert rooms.gives_way(berth("e", key="asked little")) == b"r0"
    assert rooms.gives_way(berth("e", key="asked much")) is None


def test_strangers_take_no_room_of_known_peers() -> None:
    rooms = filled(*"abcd")
    for standing in (Standing.KNOWN, Standing.ESTABLISHED):
        assert rooms.fits(berth("a", standing=standing))


def test_a_joined_or_removed_request_frees_its_place() -> None:
    rooms = filled(*"abcd")
    rooms.remove(b"r2")
    rooms.remove(b"r2")
    assert rooms.fits(berth("e"))
    assert len(rooms) == 3


def test_a_large_request_takes_several_places() -> None:
    rooms = filled("a", "a", "a")
    rooms.add(b"large", berth("b", places=3))
    rooms.remove(b"large")
    assert rooms.fits(berth("c"))


# Whole daemons.


def crowd(world: World, count: int, source: bytes) -> list[Mallory]:
    """That many peers of one source."""
    made = [Mallory(world) for _ in range(count)]
    world.hub.sources.update((mallory.peer, source) for mallory in made)
    return made


async def test_a_newcomer_finds_room_behind_a_crowd_of_identities_and_the_oldest_of_them_is_told_gone(
    make_world: Callable[..., World],
) -> None:
    world = make_world(limits=SigningLimits(unsolicited_total=TOTAL))
    one = await world.add()
    asked = []
    for mallory in crowd(world, STRANGERS, b"range"):
        asked.append(unsolicited(mallory, one.key))
        mallory.say(one.peer, asked[-1])
        await one.until("signing-request:received", requestId=asked[-1].id.hex())
    other = Mallory(world)
    request = unsolicited(other, one.key)
    other.say(one.peer, request)
    await one.until("signing-request:received", requestId=request.id.hex())
    dropped = await one.until("signing-request:dropped")
    assert dropped.data["requestId"] == asked[0].id.hex()
    assert dropped.data["publicKeys"] == [one.key.hex()]
    shown = {each["requestId"] for each in (await one.call("findSigningRequestsForMe"))["requests"]}
    assert shown == {request.id.hex(), *(each.id.hex() for each in asked[1:])}


async def test_the_peer_that_asks_most_is_answered_busy_and_charged(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(unsolicited_total=TOTAL))
    one, mallory = await world.add(), Mallory(world)
    mallory.say(one.peer, *(unsolicited(mallory, one.key) for _ in range(STRANGERS + 2)))
    assert (await mallory.hears_frame(Answer)).code == "busy"
    await one.until("signing-request:received", STRANGERS)
    assert one.net is not None
    while one.net.fines[mallory.peer] < 2:
        await one.service.engine.turned()
    assert len(one.told("signing-request:received")) == STRANGERS


async def test_a_past_partner_finds_room_however_many_strangers_ask_also_after_a_restart(
    make_world: Callable[..., World],
) -> None:
    world = make_world(limits=SigningLimits(unsolicited_total=TOTAL, first_pause_ms=20))
    one, two = await world.grow(2)
    await join(one, request := (await announce(two, [one, two]))["requestId"])
    await signatures(one, request)
    assert one.standings.of(two.peer) is Standing.KNOWN
    await one.stop()
    await one.start()
    assert one.standings.of(two.peer) is Standing.KNOWN
    for mallory in (Mallory(world) for _ in range(STRANGERS + 1)):
        mallory.say(one.peer, unsolicited(mallory, one.key))
    again = (await announce(two, [one, two]))["requestId"]
    await join(one, again)
    assert await signatures(one, again)
    assert not one.told("signing-request:dropped")


async def test_a_creator_that_is_known_counts_whoever_brings_its_request(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(unsolicited_total=TOTAL))
    one, friend = await world.add(), Mallory(world)
    world.book.count(friend.key, "completed")
    for mallory in (Mallory(world) for _ in range(STRANGERS)):
        mallory.say(one.peer, unsolicited(mallory, one.key))
    await one.until("signing-request:received", STRANGERS)
    requests = [unsolicited(friend, one.key) for _ in range(STRANGERS)]
    friend.say(one.peer, *requests)
    await one.until("signing-request:received", 2 * STRANGERS)
    assert not one.told("signing-request:dropped")


async def test_the_peers_of_a_session_are_known_while_it_lasts(make_world: Callable[..., World]) -> None:
    world = make_world()
    one, mallory = await world.add(), Mallory(world)
    request = unsolicited(mallory, one.key)
    mallory.say(one.peer, request)
    await one.until("signing-request:received", requestId=request.id.hex())
    assert one.standings.of(mallory.peer) is Standing.STRANGER
    await one.call("joinSigningRequest", requestId=request.id.hex(), publicKey=one.key.hex())
    assert one.standings.of(mallory.peer) is Standing.KNOWN
    mallory.say(one.peer, mallory.decline(request))
    await one.until("signing-request:declined", requestId=request.id.hex())
    await one.service.engine.do(lambda turn: None)
    assert one.standings.of(mallory.peer) is Standing.STRANGER


async def test_frames_about_nothing_are_charged_as_refused(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    mallory.say(one.peer, Have(os.urandom(32), 1, b"", b"", b""))
    await mallory.hears_frame(Answer)
    assert one.net is not None
    assert one.net.fines[mallory.peer] > 0
