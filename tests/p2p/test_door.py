"""The door: handshakes are paced, and those who come again and again wait behind those who do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import trio
from trio.testing import MockClock

from p2p.compat.swarm import GuardedSwarm
from p2p.door import MOST_WAITING, Door

EACH_S = 0.1
PATIENCE_S = 3.0


class Paced:
    """Ten handshakes a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self) -> float:
        pause_s = self._next - trio.current_time()
        if pause_s > 1e-6:
            return pause_s
        self._next = trio.current_time() + EACH_S
        return 0.0


def at_the_door(play: Callable[[trio.Nursery, Door], Awaitable[None]], *homes: bytes) -> None:
    """Run `play` on a clock that passes as soon as everybody waits."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            door = Door(Paced(), lambda source: source in homes, nursery.start_soon)
            await play(nursery, door)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def come_again_and_again(door: Door, source: bytes) -> None:
    while True:
        await door.turn(source, PATIENCE_S)
        await trio.sleep(0.01)


async def waited_s(door: Door, source: bytes) -> float:
    before = trio.current_time()
    assert await door.turn(source, PATIENCE_S)
    return trio.current_time() - before


def test_a_newcomer_does_not_wait_for_three_hundred_that_come_again_and_again() -> None:
    async def play(nursery: trio.Nursery, door: Door) -> None:
        for number in range(300):
            nursery.start_soon(partial(come_again_and_again, door, b"crowd %d" % number))
        await trio.sleep(60.0)
        assert await waited_s(door, b"new") <= 2 * EACH_S
        assert await waited_s(door, b"newer") <= 2 * EACH_S

    at_the_door(play)


def test_where_a_known_peer_came_from_does_not_wait_for_newcomers() -> None:
    async def play(nursery: trio.Nursery, door: Door) -> None:
        for _ in range(3):  # the partner has come before
            assert await door.turn(b"home", PATIENCE_S)
        for number in range(MOST_WAITING - 1):
            nursery.start_soon(door.turn, b"new %d" % number, PATIENCE_S)
        await trio.sleep(EACH_S)
        assert await waited_s(door, b"home") <= 2 * EACH_S

    at_the_door(play, b"home")


def test_when_too_many_wait_one_of_those_that_came_most_often_leaves() -> None:
    async def play(nursery: trio.Nursery, door: Door) -> None:
        assert await door.turn(b"often", PATIENCE_S)
        left: list[bytes] = []

        async def wait(source: bytes) -> None:
            if not await door.turn(source, PATIENCE_S):
                left.append(source)

        nursery.start_soon(wait, b"often")
        for number in range(MOST_WAITING):
            nursery.start_soon(wait, b"new %d" % number)
        await trio.sleep(EACH_S / 2)
        assert left == [b"often"]
        assert not await door.turn(b"often", PATIENCE_S)

    at_the_door(play)


def test_who_waits_longer_than_a_handshake_may_take_is_let_go() -> None:
    async def play(nursery: trio.Nursery, door: Door) -> None:
        assert await door.turn(b"often", PATIENCE_S)
        for number in range(100):
            nursery.start_soon(door.turn, b"new %d" % number, PATIENCE_S)
        before = trio.current_time()
        assert not await door.turn(b"often", 2 * EACH_S)
        assert trio.current_time() - before <= 2 * EACH_S + 0.001

    at_the_door(play)


def test_of_many_that_never_came_before_the_latest_is_next() -> None:
    async def play(nursery: trio.Nursery, door: Door) -> None:
        for number in range(300):
            nursery.start_soon(door.turn, b"crowd %d" % number, PATIENCE_S)
        await trio.sleep(EACH_S / 2)
        assert await waited_s(door, b"new") <= 2 * EACH_S

    at_the_door(play)


class Crowded:
    """A swarm that is full, where what is closed makes room a second before it has been closed."""

    def __init__(self) -> None:
        self._rules = SimpleNamespace(max_connections=3, upgrade_s=PATIENCE_S)
        self._pending: Counter[str] = Counter()
        self._inbound = Counter(old=3)
        self._door = SimpleNamespace(turn=self._turn)
        self._has_room = partial(GuardedSwarm._has_room, self)  # type: ignore[arg-type]  # stands in for a swarm
        self.most = 0

    async def _turn(self, behind: bytes, longest_s: float) -> bool:
        return True

    def get_total_connections(self) -> int:
        return 0

    async def _make_room(self) -> bool:
        self._inbound["old"] -= 1
        await trio.sleep(1)
        return True

    async def upgrade_inbound_raw_conn(self, raw: object, maddr: object) -> object:
        self.most = max(self.most, self._inbound.total())
        return SimpleNamespace(event_closed=trio.Event())


def test_the_room_that_is_made_for_one_is_not_taken_by_another() -> None:
    serve: Any = GuardedSwarm._serve_inbound
    swarm = Crowded()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(serve, swarm, None, None, str(number), b"")
                await trio.sleep(0.3)
            await trio.sleep(2)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert swarm.most == 3
