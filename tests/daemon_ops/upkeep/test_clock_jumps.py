"""Stored times when the clock goes a day ahead and back: all is in force again, and nothing lasts longer.

The rows of docs/decisions/clocks.md that concern access, bans, events and known peers; own records and the directory
are in tests/discovery/own/test_wrong_clocks.py, with what is measured in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from daemon.access.idempotency import StoredAnswers
from daemon.access.tokens import Tokens
from daemon.events import EventLog
from daemon.peers.bans import Bans
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from daemon.upkeep.retention import Retention
from musig2.protocol.records.peers import peer_of
from p2p.bans import BanTimes
from rpc.errors import ApiError
from rpc.ports import StoredAnswer
from rpc.server.auth import Authenticator
from tests.daemon_ops.ops_world import SettableClock

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
EARLIER, LATER = peer_of(b"\x01" * 32), peer_of(b"\x02" * 32)
ANSWER = StoredAnswer(b"\x01" * 32, b"{}")


@dataclass
class Place:
    """What one daemon stores beside keys, sessions and the directory."""

    store: Store
    clock: SettableClock
    peers_say_wrong: bool = False
    notes: dict[str, str] = field(default_factory=dict)

    async def start(self) -> None:
        """Start the parts, as after a restart."""
        self.events = EventLog(store=self.store, clock=self.clock)
        await self.events.start()
        self.tokens = Tokens(store=self.store, clock=self.clock, events=self.events)
        await self.tokens.start()
        self.bans = Bans(store=self.store, clock=self.clock, events=self.events)
        await self.bans.start()
        self.answers = StoredAnswers(store=self.store, clock=self.clock)
        self.known = KnownPeers(store=self.store, clock=self.clock)
        self.retention = Retention(
            clock=self.clock,
            keep_audit_ms=2**40,
            store=self.store,
            keep_events_ms=HOUR_MS,
            events=self.events,
            idempotency=self.answers,
            tokens=self.tokens,
            bans=self.bans,
            known_peers=self.known,
            clock_is_wrong=lambda: self.peers_say_wrong,
            is_calm=lambda: True,
        )

    async def tell(self, name: str) -> None:
        await self.store.write(lambda conn: self.events.append(conn, name, {}))
        self.events.publish()

    def told(self) -> list[str]:
        return [event.event for event in self.events.read(1, 99)]

    async def make_token(self, name: str, expires_at: int) -> None:
        made = await self.tokens.create(["read"], None, create_key=False, label="", expires_at=expires_at)
        self.notes[name] = made[1]

    def admits(self, name: str) -> bool:
        try:
            Authenticator(self.tokens, self.clock.wall_ms).caller_of(self.notes[name])
        except ApiError:
            return False
        return True


Step = Callable[[Place], Awaitable[object]]
Check = Callable[[Place], Awaitable[bool]]


@dataclass(frozen=True)
class Row:
    """`before` the jump, while the clock is `ahead`, after it is right again and the daemon was restarted (`back`).

    A step that checks something gives False where it does not hold.
    """

    before: Step
    ahead: Step
    back: Check


async def nothing(place: Place) -> None:
    """No step."""


def after(hold: Callable[[Place], bool]) -> Check:
    async def check(place: Place) -> bool:
        return hold(place)

    return check


async def answer_is_there(place: Place) -> bool:
    return await place.answers.find("t", "k") == ANSWER


async def ban_while_ahead(place: Place) -> None:
    await place.bans.ban(LATER, place.clock.wall_ms() + HOUR_MS, "noise")


async def ban_lasts_an_hour_from_now(place: Place) -> bool:
    return [ban.until_ms - place.clock.wall_ms() for ban in place.bans.in_force()] == [HOUR_MS]


ROWS = {
    "token that ends within the day": Row(
        lambda place: place.make_token("early", place.clock.wall_ms() + HOUR_MS),
        after(lambda place: not place.admits("early")),
        after(lambda place: place.admits("early")),
    ),
    "token made while ahead": Row(
        nothing,
        lambda place: place.make_token("late", place.clock.wall_ms() + HOUR_MS),
        after(lambda place: place.admits("late")),
    ),
    "answer under an idempotency key": Row(
        lambda place: place.answers.save("t", "k", ANSWER), answer_is_there, answer_is_there
    ),
    "answer kept while ahead": Row(nothing, lambda place: place.answers.save("t", "k", ANSWER), answer_is_there),
    "ban that ends within the day": Row(
        lambda place: place.bans.ban(EARLIER, place.clock.wall_ms() + HOUR_MS, "noise"),
        after(lambda place: not place.bans.in_force()),
        ban_lasts_an_hour_from_now,
    ),
    "ban made while ahead": Row(nothing, ban_while_ahead, ban_lasts_an_hour_from_now),
    "event": Row(
        lambda place: place.tell("before"),
        lambda place: place.tell("ahead"),
        after(lambda place: place.told()[:2] == ["before", "ahead"]),
    ),
    "peer met before": Row(
        lambda place: place.known.remember(EARLIER, [b"\x04addr"]),
        lambda place: place.known.remember(LATER, [b"\x04addr"]),
        after(lambda place: {peer for peer, _ in place.known.newest(9)} == {EARLIER, LATER}),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_clock_that_is_a_day_ahead_and_corrected_leaves_no_trace(store: Store, row: Row) -> None:
    place = Place(store, SettableClock())
    await place.start()
    await row.before(place)
    place.clock.now_ms += DAY_MS
    place.peers_say_wrong = True
    assert await row.ahead(place) is not False
    await place.retention.run_once()
    place.clock.now_ms -= DAY_MS
    await place.start()
    assert await row.back(place)
    place.peers_say_wrong = False
    await place.retention.run_once()
    assert await row.back(place)


async def test_what_is_old_leaves_when_nobody_says_that_the_clock_is_wrong(store: Store) -> None:
    place = Place(store, SettableClock())
    await place.start()
    await place.tell("before")
    await place.make_token("early", place.clock.wall_ms() + HOUR_MS)
    await place.answers.save("t", "k", ANSWER)
    await place.bans.ban(EARLIER, place.clock.wall_ms() + HOUR_MS, "noise")
    place.clock.now_ms += 2 * DAY_MS
    await place.retention.run_once()
    assert "before" not in place.told()
    assert await place.answers.find("t", "k") is None
    for table in ("tokens", "bans"):
        assert store.read(lambda conn, table=table: conn.execute(f"SELECT count(*) FROM {table}").fetchone()) == (0,)


def test_ban_that_ended_while_the_clock_was_ahead_is_enforced_again_when_it_is_right() -> None:
    clock = SettableClock()
    bans = BanTimes(clock.wall_ms)
    bans.set(EARLIER, clock.wall_ms() + HOUR_MS)
    clock.now_ms += DAY_MS
    assert not bans.refuses(EARLIER)
    assert len(bans) == 0
    clock.now_ms -= DAY_MS
    assert bans.refuses(EARLIER)
    assert len(bans) == 1
