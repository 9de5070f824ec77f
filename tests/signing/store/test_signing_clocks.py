"""Signing with a clock that goes a day ahead and back. The rows of docs/decisions/clocks.md."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from daemon.clock import SystemClock
from daemon.signing.limits import SigningLimits
from musig2.protocol.records.checks import RecordLimits
from tests.signing.signing_world import World, announce, join, signatures

DAY_MS = 86_400_000


class WrongClock(SystemClock):
    """Real time, and how far the wall clock is ahead of it."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


@pytest.fixture
def clock() -> WrongClock:
    return WrongClock()


@pytest.fixture
async def world(tmp_path: Path, clock: WrongClock) -> AsyncIterator[World]:
    made = World(tmp_path, limits=SigningLimits(wire=RecordLimits(), keep_finished_ms=1_000, keep_joins_ms=1_000))
    made.clock = clock
    yield made
    await made.stop()


async def test_a_notice_made_while_the_clock_was_ahead_is_published_again(world: World, clock: WrongClock) -> None:
    one, two = await world.grow(2)
    await two.stop()
    clock.ahead_ms = DAY_MS
    request = (await announce(one, [one, two], ttl=2 * DAY_MS))["requestId"]
    await world.book.noticed.wait()
    (ahead,) = world.book.notices
    entry = one.service._roster.get(bytes.fromhex(request))
    assert entry is not None
    notices = one.service.traffic.notices

    notices.unreached(entry)
    assert len(world.book.notices) == 1

    clock.ahead_ms = 0
    notices.unreached(entry)
    await notices._tasks.finished()
    assert len(world.book.notices) == 2
    assert world.book.notices[1].record.ts < ahead.record.ts
    notices.unreached(entry)
    await notices._tasks.finished()
    assert len(world.book.notices) == 2


async def test_finished_requests_stay_while_peers_say_that_the_clock_is_wrong(world: World, clock: WrongClock) -> None:
    peers_say_wrong = True
    one, two = await world.add(clock_is_wrong=lambda: peers_say_wrong), await world.add()
    request = (await announce(one, [one, two], election=None, ttl=10_000))["requestId"]
    await join(two, request)
    await signatures(one, request)

    clock.ahead_ms = DAY_MS
    await one.service.sweeper.sweep_store()
    assert kept(one.store.read, request)

    peers_say_wrong = False
    await one.service.sweeper.sweep_store()
    assert not kept(one.store.read, request)


def kept(read: object, request: str) -> bool:
    """Whether the store still has the request."""
    count = "SELECT count(*) FROM signing_requests WHERE request = ?"
    return bool(read(lambda conn: conn.execute(count, (bytes.fromhex(request),)).fetchone()[0]))  # type: ignore[operator]  # a reader of any row
