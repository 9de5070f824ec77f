"""Own work goes before that of strangers: long lists of keys are aggregated in a thread, floods take turns."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from daemon.signing.limits import SigningLimits
from daemon.signing.peers import request_checks
from musig2 import SecretKey
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import RequestProblem, request_problem
from musig2.protocol.wire.frames import Answer, Have, Signed
from p2p.network import Offence
from tests.signing.mallory import Mallory, unsolicited
from tests.signing.memory_net import LONGEST_S
from tests.signing.signing_world import World, announce, join, signatures

MANY = [SecretKey.generate().pubkey for _ in range(40)]


def wrong(mallory: Mallory, victim: bytes) -> Signed[Request]:
    """A request of many keys whose aggregate is not theirs."""
    good = unsolicited(mallory, victim, pubkeys=[mallory.key, victim, *MANY]).record
    return seal(replace(good, items=(replace(good.items[0], agg=mallory.key),)), mallory.sign)


class Gate:
    """Holds the thread that checks requests, until it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._open = threading.Event()

    def judge(self, request: Request) -> RequestProblem | None:
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self._open.wait(LONGEST_S)
        return request_problem(request)

    def open(self) -> None:
        self._open.set()


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(request_checks, "judge", gate.judge)
    try:
        yield gate
    finally:
        gate.open()


async def test_a_signature_is_made_while_a_long_list_of_keys_is_added_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await world.grow(2)
    mallory = Mallory(world)
    with held(monkeypatch) as gate:
        mallory.say(one.peer, unsolicited(mallory, one.key, pubkeys=[mallory.key, one.key, *MANY]))
        await gate.entered.wait()
        request = (await announce(two, [one, two]))["requestId"]
        await join(one, request)
        assert await signatures(one, request)
        assert len(one.told("signing-request:received")) == 1
    await one.until("signing-request:received", 2)


async def test_frames_about_a_request_under_check_wait_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, mallory = await world.add(), Mallory(world)
    request = unsolicited(mallory, one.key, pubkeys=[mallory.key, one.key, *MANY])
    with held(monkeypatch) as gate:
        mallory.say(one.peer, request)
        await gate.entered.wait()
        mallory.say(one.peer, mallory.join(request), request)
        while not one.service.engine.turns:
            await one.service.engine.turned()
    await one.until("signing-request:received", requestId=request.id.hex())
    await one.until("participant:joined", requestId=request.id.hex())
    assert not [frame for frame in mallory.heard if isinstance(frame, Answer)]


async def test_each_wrong_aggregate_counts_against_the_peer_that_sent_it(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    small = unsolicited(mallory, one.key).record
    small_and_wrong = seal(replace(small, items=(replace(small.items[0], agg=mallory.key),)), mallory.sign)
    good = unsolicited(mallory, one.key, pubkeys=[mallory.key, one.key, *MANY])
    mallory.say(one.peer, wrong(mallory, one.key), wrong(mallory, one.key), small_and_wrong, good)
    await one.until("signing-request:received", requestId=good.id.hex())
    assert one.net is not None
    assert one.net.blamed == {(mallory.peer, Offence.BAD_REQUEST): 3}


async def test_a_peer_that_fills_the_queue_of_checks_is_answered_busy_and_others_are_checked(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(limits=SigningLimits(checks_per_party=2))
    one, mallory, other = await world.add(), Mallory(world), Mallory(world)
    with held(monkeypatch) as gate:
        mallory.say(one.peer, wrong(mallory, one.key))
        await gate.entered.wait()
        mallory.say(one.peer, *(wrong(mallory, one.key) for _ in range(3)))
        assert (await mallory.hears_frame(Answer)).code == "busy"
        good = unsolicited(other, one.key, pubkeys=[other.key, one.key, *MANY])
        other.say(one.peer, good)
    await one.until("signing-request:received", requestId=good.id.hex())
    assert not [frame for frame in other.heard if isinstance(frame, Answer)]


async def test_a_peer_whose_request_gives_way_in_the_full_queue_is_answered_busy(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(limits=SigningLimits(checks=2))
    one, mallory, other = await world.add(), Mallory(world), Mallory(world)
    with held(monkeypatch) as gate:
        mallory.say(one.peer, wrong(mallory, one.key))
        await gate.entered.wait()
        mallory.say(one.peer, wrong(mallory, one.key), last := wrong(mallory, one.key))
        good = unsolicited(other, one.key, pubkeys=[other.key, one.key, *MANY])
        other.say(one.peer, good)
        answer = await mallory.hears_frame(Answer)
        assert (answer.request, answer.code) == (last.id, "busy")
    await one.until("signing-request:received", requestId=good.id.hex())


async def test_own_work_does_not_wait_for_a_flood(world: World) -> None:
    one, mallory = await world.add(), Mallory(world)
    flood = [Have(os.urandom(32), 1, b"", b"", b"") for _ in range(1_000)]
    one.service.traffic.on_frames([(mallory.peer, frame) for frame in flood])
    await one.service.engine.do(lambda turn: None)
    assert one.service.engine.waiting > 900


async def test_a_newcomer_does_not_wait_for_a_flood_of_another(world: World) -> None:
    one, mallory, other = await world.add(), Mallory(world), Mallory(world)
    world.hub.connect(other.peer, one.peer)
    flood = [Have(os.urandom(32), 1, b"", b"", b"") for _ in range(1_000)]
    one.service.traffic.on_frames([(mallory.peer, frame) for frame in flood])
    one.service.traffic.on_frames([(other.peer, unsolicited(other, one.key))])
    while not one.told("signing-request:received"):
        await one.service.engine.turned()
    assert one.service.engine.waiting > 800


async def test_a_partner_does_not_wait_for_a_crowd_nor_shut_it_out(world: World) -> None:
    one, partner = await world.add(), Mallory(world)
    crowd = [Mallory(world) for _ in range(50)]
    for each in (partner, *crowd):
        world.hub.connect(each.peer, one.peer)
    one.standings.partner(partner.peer)
    traffic, strange = one.service.traffic, [Have(os.urandom(32), 1, b"", b"", b"") for _ in range(100)]
    traffic.on_frames([(each.peer, frame) for each in crowd for frame in strange])
    asked = [unsolicited(partner, one.key) for _ in range(20)]
    traffic.on_frames([(partner.peer, request) for request in asked])
    while len(one.told("signing-request:received")) < len(asked):
        await one.service.engine.turned()
    of_crowd = len(crowd) * len(strange) - one.service.engine.waiting
    assert len(asked) // 2 < of_crowd < len(asked) + 2 * SigningLimits().drain
