"""The event log is gapless, published after the commit, and the same live and later."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence

import pytest

from daemon.clock import SystemClock
from daemon.events import Event, EventLog, renew_log_id
from daemon.store import Store

KEY = b"\x02" * 33


class SettableClock(SystemClock):
    now_ms = 1_000

    def wall_ms(self) -> int:
        return self.now_ms


@pytest.fixture
async def log(store: Store) -> EventLog:
    made = EventLog(store=store, clock=SettableClock())
    await made.start()
    return made


def append(log: EventLog, name: str = "x") -> Callable[[sqlite3.Connection], None]:
    return lambda conn: log.append(conn, name, {})


async def test_an_event_is_published_once_it_is_committed(store: Store, log: EventLog) -> None:
    heard: list[int] = []
    log.subscribe(lambda burst: heard.extend(event.seq for event in burst))
    await store.write(append(log))
    assert heard == []
    log.publish()
    log.publish()
    assert heard == [1]
    assert log.next_seq == 2


async def test_a_write_that_fails_gives_its_numbers_back(store: Store, log: EventLog) -> None:
    def broken(conn: sqlite3.Connection) -> None:
        log.append(conn, "lost", {})
        raise KeyError

    await asyncio.gather(
        store.write(append(log)), store.write(broken), store.write(append(log)), return_exceptions=True
    )
    log.publish()
    assert [(event.seq, event.event) for event in log.read(0, 10)] == [(1, "x"), (2, "x")]


async def test_the_data_names_own_keys_and_ids(store: Store, log: EventLog) -> None:
    await store.write(
        lambda conn: log.append(
            conn, "session:joined", {"a": 1}, keys=[KEY], request_id=b"\1" * 32, session_id=b"\2" * 32, attempt=3
        )
    )
    log.publish()
    (event,) = log.read(1, 10)
    assert event.data == {
        "a": 1,
        "publicKeys": [KEY.hex()],
        "requestId": "01" * 32,
        "sessionId": "02" * 32,
        "attempt": 3,
    }
    assert event.time == 1_000


async def test_history_ends_where_live_events_begin(store: Store, log: EventLog) -> None:
    await store.write(append(log))
    log.publish()
    await store.write(append(log))
    assert [event.seq for event in log.read(0, 10)] == [1]
    log.publish()
    assert [event.seq for event in log.read(2, 10)] == [2]


async def test_a_listener_that_publishes_is_heard_in_order(store: Store, log: EventLog) -> None:
    heard: list[int] = []

    def listener(burst: Sequence[Event]) -> None:
        heard.extend(event.seq for event in burst)
        log.publish()

    log.subscribe(listener)
    for _ in range(3):
        await store.write(append(log))
    log.publish()
    assert heard == [1, 2, 3]


async def test_a_listener_that_unsubscribed_hears_nothing(store: Store, log: EventLog) -> None:
    heard: list[Event] = []
    unsubscribe = log.subscribe(heard.extend)
    unsubscribe()
    unsubscribe()
    await store.write(append(log))
    log.publish()
    assert heard == []


async def test_waiting_for_a_seq_ends_when_it_is_published(store: Store, log: EventLog) -> None:
    waiting = asyncio.create_task(log.wait(2))
    for _ in range(2):
        await store.write(append(log))
        assert not waiting.done()
        log.publish()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(log.wait(1), 5)


async def test_the_log_goes_on_after_a_restart(store: Store, log: EventLog) -> None:
    await store.write(append(log))
    await store.close()
    again = Store.open(store.path)
    other = EventLog(store=again, clock=SystemClock())
    await other.start()
    assert (other.log_id, other.next_seq, other.oldest_seq) == (log.log_id, 2, 1)
    await again.close()


async def test_retention_removes_a_prefix_and_never_gives_a_number_twice(store: Store, log: EventLog) -> None:
    clock = log._clock
    assert isinstance(clock, SettableClock)
    for now_ms in (100, 200, 5_000, 150):  # the clock jumped back once: what follows a kept event is kept
        clock.now_ms = now_ms
        await store.write(append(log))
    log.publish()
    assert await log.forget_before(1_000) == 2
    assert (log.oldest_seq, [event.seq for event in log.read(0, 10)]) == (3, [3, 4])
    clock.now_ms = 10**9
    assert await log.forget_before(10**8) == 2
    assert (log.oldest_seq, log.next_seq) == (5, 5)
    await store.write(append(log))
    log.publish()
    assert [event.seq for event in log.read(0, 10)] == [5]


async def test_a_log_that_grows_beyond_its_bytes_loses_its_oldest_events(store: Store) -> None:
    log = EventLog(store=store, clock=SettableClock(), most_bytes=1_000)
    await log.start()
    assert await log.forget_surplus() == 0
    size = await append_of(log, store, 1)
    for _ in range(99):
        await append_of(log, store, 1)
    log.publish()
    assert log.grown.is_set()
    assert await log.forget_surplus() == 100 - 1_000 // size
    assert log.oldest_seq == 101 - 1_000 // size
    assert [event.seq for event in log.read(0, 1)] == [log.oldest_seq]
    assert await log.forget_surplus() == 0, "it is measured again when it has grown by an eighth"


async def append_of(log: EventLog, store: Store, number: int) -> int:
    """Append one event; returns how many bytes of data it has."""
    await store.write(lambda conn: log.append(conn, "x", {"number": number}))
    row: tuple[int] = store.read(lambda conn: conn.execute("SELECT max(length(data)) FROM events").fetchone())
    return row[0]


async def test_a_renewed_log_has_another_id(store: Store, log: EventLog) -> None:
    before = log.log_id
    await store.write(renew_log_id)
    await log.start()
    assert log.log_id != before
