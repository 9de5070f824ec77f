"""The stored audit log: a line with each change and none without, and no secret in any."""

from __future__ import annotations

import asyncio
import json
import sqlite3

import pytest

from daemon.audit import log
from daemon.audit.chain import GENESIS, ChainBroken
from daemon.audit.log import AuditLog
from daemon.events import EventLog
from daemon.store import Store
from tests.daemon_ops.ops_world import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def events(store: Store, clock: SettableClock) -> EventLog:
    return EventLog(store=store, clock=clock)


def kinds(store: Store) -> list[str]:
    return [line.body.split('"what":"')[1].split('"')[0] for line in store.read(lambda c: list(log.lines_after(c, 0)))]


async def told(store: Store, events: EventLog, name: str, **data: object) -> None:
    await store.write(lambda conn: events.append(conn, name, data))


async def test_an_event_about_keys_is_on_record_in_its_own_transaction(store: Store, events: EventLog) -> None:
    await told(store, events, "key:created", publicKey="02", scheme="lotus", label="x", imported=False)

    def fails(conn: sqlite3.Connection) -> None:
        events.append(conn, "key:paused", {"publicKey": "02"})
        raise sqlite3.OperationalError("no room")

    with pytest.raises(sqlite3.OperationalError):
        await store.write(fails)
    assert kinds(store) == ["key:created"]
    assert store.read(log.verify).seq == 1


async def test_actions_of_strangers_are_not_on_record(store: Store, events: EventLog) -> None:
    await told(store, events, "peer:connected", peerId="p")
    await told(store, events, "signer:withdrawn", publicKey="02")
    await store.write(lambda conn: events.append(conn, "signer:withdrawn", {}, keys=[b"\x02" * 33]))
    assert kinds(store) == ["signer:withdrawn"]


async def test_only_members_that_are_named_are_on_record(store: Store, events: EventLog) -> None:
    await told(store, events, "key:created", publicKey="02", privateKey="secret", label="x")
    assert "secret" not in store.read(lambda conn: next(log.lines_after(conn, 0))).body


async def changed(store: Store, sql: str) -> None:
    await store.write(lambda conn: conn.execute(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_lines SET body = replace(body, '02', '03') WHERE seq = 2",
        "UPDATE audit_lines SET time = time + 1 WHERE seq = 2",
        "UPDATE audit_lines SET hash = x'00' WHERE seq = 3",
        "DELETE FROM audit_lines WHERE seq = 2",
        "DELETE FROM audit_lines WHERE seq = 1",
        "DELETE FROM audit_lines WHERE seq = 3",
        "UPDATE audit_lines SET seq = seq + 10",
        "INSERT INTO audit_lines (seq, time, body, hash) SELECT 4, time, body, hash FROM audit_lines WHERE seq = 3",
        "INSERT INTO audit_lines (seq, time, body, hash) SELECT 0, time, body, hash FROM audit_lines WHERE seq = 3",
        "UPDATE audit_start SET first_seq = 0, first_hash = x'00'",
    ],
)
async def test_a_change_in_the_database_is_found(store: Store, events: EventLog, sql: str) -> None:
    for number in range(3):
        await told(store, events, "key:paused", publicKey="02", reason=str(number))
    assert store.read(log.verify).seq == 3
    await changed(store, sql)
    with pytest.raises(ChainBroken):
        store.read(log.verify)


async def test_retention_keeps_the_chain(store: Store, events: EventLog, clock: SettableClock) -> None:
    for _ in range(5):
        clock.now_ms += 1_000
        await told(store, events, "key:resumed", publicKey="02")
    end = store.read(log.end_of)
    assert await store.write(lambda conn: log.forget_before(conn, clock.now_ms - 1_000)) == 3
    assert store.read(log.start_of).seq == 3
    assert store.read(log.verify) == end
    assert await store.write(lambda conn: log.forget_before(conn, clock.now_ms + 1)) == 2
    assert store.read(log.verify) == end
    await told(store, events, "key:paused", publicKey="02")
    assert store.read(log.verify).seq == 6


async def test_a_log_without_lines_verifies(store: Store, clock: SettableClock) -> None:
    assert store.read(log.verify) == GENESIS
    await store.write(lambda conn: AuditLog(clock).append(conn, "partial", {"items": 1}))
    assert store.read(log.verify).seq == 1


async def test_what_strangers_cause_fills_no_disk_and_the_next_line_counts_what_is_missing(
    store: Store, events: EventLog, clock: SettableClock
) -> None:
    for number in range(log.BY_STRANGERS_PER_MINUTE + 40):
        await told(store, events, "signing-request:declined", publicKey="02", reason=str(number))
    assert len(kinds(store)) == log.BY_STRANGERS_PER_MINUTE
    await told(store, events, "key:paused", publicKey="02")
    assert len(kinds(store)) == log.BY_STRANGERS_PER_MINUTE + 1
    clock.now_ms += 60_000
    for _ in range(2):
        await told(store, events, "approval:needed", publicKey="02", needed=1)
    *_, first, second = store.read(lambda conn: list(log.lines_after(conn, 0)))
    assert '"linesNotRecorded":40' in first.body
    assert "linesNotRecorded" not in second.body


async def test_lines_are_chained_past_writes_that_fail(store: Store, clock: SettableClock) -> None:
    audit = AuditLog(clock)

    def broken(conn: sqlite3.Connection) -> None:
        audit.append(conn, "call", {"number": 0})
        raise ValueError

    def good(conn: sqlite3.Connection) -> None:
        audit.append(conn, "call", {"number": 1})
        audit.append(conn, "call", {"number": 2})

    jobs = [good, broken, good, broken]
    for together in (jobs, jobs[:1], jobs[1:2], jobs[2:3]):
        await asyncio.gather(*(store.write(job) for job in together), return_exceptions=True)
    assert store.read(log.verify).seq == 8
    lines = store.read(lambda conn: list(log.lines_after(conn, 0)))
    assert [json.loads(line.body)["number"] for line in lines] == [1, 2] * 4


async def test_a_last_line_that_is_taken_away_while_the_daemon_runs_leaves_a_gap_for_good(
    store: Store, clock: SettableClock
) -> None:
    audit = AuditLog(clock)
    for _ in range(3):
        await store.write(lambda conn: audit.append(conn, "call", {}))
    await changed(store, "DELETE FROM audit_lines WHERE seq = 3")
    await store.write(lambda conn: audit.append(conn, "call", {}))
    with pytest.raises(ChainBroken, match="removed"):
        store.read(log.verify)


async def test_a_last_line_that_was_taken_away_while_no_daemon_ran_leaves_a_gap_for_good(
    store: Store, clock: SettableClock
) -> None:
    for _ in range(3):
        await store.write(lambda conn: AuditLog(clock).append(conn, "call", {}))
    await changed(store, "DELETE FROM audit_lines WHERE seq = 3")
    path = store.path
    await store.close()
    again = Store.open(path)
    try:
        await again.write(lambda conn: AuditLog(clock).append(conn, "call", {}))
        with pytest.raises(ChainBroken, match="removed"):
            again.read(log.verify)
    finally:
        await again.close()
