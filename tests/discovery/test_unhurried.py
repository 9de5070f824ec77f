"""Work of the directory that can wait: all at once in quiet times, in small pieces with pauses beside a session."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import pytest

from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.sync.conversation import End
from daemon.discovery.sync.pull import IDS_FOR_A_STATEMENT, MANY_IDS, Puller
from daemon.discovery.unhurried import AT_ONCE, AT_ONCE_BESIDE, NAP_MS, REST, Unhurried
from musig2.protocol.records.records import Advertisement
from musig2.protocol.wire.sync import (
    SHORT_ID_BYTES,
    Answer,
    Ask,
    Differences,
    Greeting,
    Hello,
    ShortIds,
    Since,
    encode_answer,
    open_ask,
)
from tests.discovery.discovery_world import MovedClock, Signer, World, push_of, until

PIECE_MS = 10


class Scene:
    """A clock that moves while somebody sleeps or works, and whether a session is under way."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.calm = False
        self.unhurried = Unhurried(lambda: self.calm, self.clock, self.sleep)
        self.began_ms = self.clock.mono

    async def sleep(self, seconds: float) -> None:
        self.clock.forward(round(1000 * seconds))
        await asyncio.sleep(0)

    async def work(self) -> int:
        """A piece of work; returns how many statements were allowed."""
        async with self.unhurried.turn() as most:
            self.clock.forward(PIECE_MS)
        return most

    @property
    def passed_ms(self) -> int:
        return self.clock.mono - self.began_ms


async def test_beside_a_session_the_work_takes_a_small_part_of_the_time() -> None:
    scene = Scene()
    allowed = await asyncio.gather(*(scene.work() for _ in range(11)))
    assert allowed == [AT_ONCE_BESIDE] * 11
    assert scene.passed_ms == 11 * PIECE_MS + 10 * REST * PIECE_MS


async def test_without_a_session_nothing_waits() -> None:
    scene = Scene()
    scene.calm = True
    allowed = await asyncio.gather(*(scene.work() for _ in range(11)))
    assert allowed == [AT_ONCE] * 11
    assert scene.passed_ms == 11 * PIECE_MS


async def test_the_pauses_end_with_the_session() -> None:
    scene = Scene()
    async with scene.unhurried.turn():
        scene.clock.forward(10_000)
    waiting = asyncio.create_task(scene.work())
    await asyncio.sleep(0)
    scene.calm = True
    await waiting
    assert scene.passed_ms <= 10_000 + 2 * NAP_MS + PIECE_MS


async def test_a_piece_that_fails_keeps_nobody_from_the_next() -> None:
    scene = Scene()

    async def fail() -> None:
        async with scene.unhurried.turn():
            raise KeyError("mine")

    with pytest.raises(KeyError):
        await fail()
    assert await scene.work() == AT_ONCE_BESIDE


@pytest.mark.parametrize(("calm", "most"), [(True, 120), (False, AT_ONCE_BESIDE)])
async def test_what_is_read_from_a_peer_beside_a_session_is_taken_in_by_small_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch, calm: bool, most: int
) -> None:
    bob = await world.daemon()
    now = bob.clock.wall_ms()
    for _ in range(2):
        await bob.service.traffic.on_ask(bytes(38), push_of(*(Signer().advertise(now) for _ in range(60))))
    taken: list[int] = []
    take = Ingest.take

    async def count(ingest: Ingest, records: Sequence[Any], **how: Any) -> Any:
        taken.append(sum(isinstance(each.record, Advertisement) for each in records))  # of the rest, two are of nodes
        return await take(ingest, records, **how)

    monkeypatch.setattr(Ingest, "take", count)
    alice = await world.daemon()
    alice.net.calm = calm
    world.wire.link(alice.net, bob.net)
    await until(lambda: alice.lines() == 120)
    assert max(taken) == most


@pytest.mark.parametrize(("count", "end"), [(MANY_IDS, End.IN_STEP), (MANY_IDS + 1, End.RUBBISH)])
async def test_the_ids_that_a_peer_names_are_looked_up_by_small_pieces_and_no_more_than_were_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int, end: End
) -> None:
    daemon, head, looked_up = await world.daemon(), 10, list[int]()
    daemon.net.calm = False
    missing = Puller._missing

    def count_them(puller: Puller, shorts: Sequence[bytes]) -> list[bytes]:
        looked_up.append(len(shorts))
        missing(puller, shorts)
        return []  # as if all of them were here

    def answer_of(ask: Ask) -> Answer:
        match ask:
            case Hello():
                return Greeting(bytes(16), head, 0, 1)
            case Since():
                return ShortIds(bytes(16), head, head, secrets.token_bytes(SHORT_ID_BYTES * count))
            case _:
                return Differences((), more=False)

    async def answer(_: bytes, payload: bytes) -> bytes:
        return encode_answer(answer_of(open_ask(payload)))

    monkeypatch.setattr(Puller, "_missing", count_them)
    other = await world.daemon()
    other.net.answer = answer
    world.wire.link(other.net, daemon.net)
    pull = daemon.service._rounds.pull
    assert (await pull(other.identity.peer)).end is End.IN_STEP
    head += 5
    assert (await pull(other.identity.peer)).end is end
    whole = [IDS_FOR_A_STATEMENT * AT_ONCE_BESIDE] * (MANY_IDS // (IDS_FOR_A_STATEMENT * AT_ONCE_BESIDE))
    assert looked_up == (whole if end is End.IN_STEP else [])
