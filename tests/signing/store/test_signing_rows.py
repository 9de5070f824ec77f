"""Every save of the machine as SQL: what may be written twice, and what must not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.signing.limits import SigningLimits
from daemon.signing.store import reads as reading
from daemon.signing.store import writes as rows
from daemon.signing.store.retention import delete_old, delete_requests, unwanted
from daemon.signing.store.writes import SaveBatch, SaveRequest
from daemon.store import Store
from musig2.protocol.interface.effects import (
    Outcome,
    Save,
    SaveJoin,
    SaveLock,
    SaveMessage,
    SaveOutcome,
    SaveRecord,
    SaveSession,
    SessionRow,
    State,
)
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.records import Decline, DoneBody, Item, Join, Message, NonceBody, Request
from musig2.protocol.wire.frames import Signed

KEYS = (b"\x02" + b"a" * 32, b"\x03" + b"b" * 32)
REQUEST = b"r" * 32
SESSION = session_id(REQUEST, 1)
PEER = b"p" * 38
NOW = 1_700_000_000_000


def request() -> Signed[Request]:
    record = Request(
        scheme="lotus",
        keys=KEYS,
        order=(0, 1),
        items=(Item(bytes(32), (), KEYS[0]),),
        creator=KEYS[0],
        created=NOW,
        expires=NOW + 1_000,
        round_ms=1_000,
        max_attempts=5,
        salt=bytes(16),
        election=None,
        metadata={},
    )
    return Signed(record, REQUEST, b"envelope")


def join(index: int = 0, attempt: int = 1, *, own: bool = True) -> SaveJoin:
    record = Join("lotus", REQUEST, attempt, KEYS[index], PEER, (), NOW)
    return SaveJoin(Signed(record, bytes([attempt]) * 32, b"join"), index, own)


def nonce(index: int = 0, *, own: bool = True, envelope: bytes = b"nonce") -> SaveMessage:
    record = Message(SESSION, bytes(32), NonceBody(bytes(32), (bytes(66),)))
    return SaveMessage(Signed(record, b"n" * 32, envelope), SESSION, index, 1, own)


def row(**changes: object) -> SessionRow:
    plain = SessionRow(
        session=SESSION,
        request=REQUEST,
        attempt=1,
        key=KEYS[0],
        state=State.JOINING,
        auto=True,
        want_round1=False,
        want_round2=False,
        partial_released=False,
        nonce_sent=False,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]  # the fields of the test at hand


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    store = Store.open(tmp_path / "musigd.db")
    asyncio.run(store.close())
    conn = sqlite3.connect(tmp_path / "musigd.db")
    rows.save_requests(conn, [SaveRequest(request(), frozenset({KEYS[0]}), None, NOW)])
    yield conn
    conn.close()


def save(conn: sqlite3.Connection, *effects: Save, settled: bool = False) -> None:
    batch = SaveBatch(NOW)
    batch.add(REQUEST, effects, settled=settled)
    batch.write(conn)


def test_an_own_join_is_never_stored_twice(conn: sqlite3.Connection) -> None:
    save(conn, join())
    with pytest.raises(sqlite3.IntegrityError):
        save(conn, join())


def test_a_foreign_join_may_come_again(conn: sqlite3.Connection) -> None:
    save(conn, join(1, own=False), join(1, own=False))
    assert [stored.position for stored in reading.joins(conn, REQUEST)] == [1]


def test_an_own_nonce_is_never_replaced(conn: sqlite3.Connection) -> None:
    save(conn, nonce())
    with pytest.raises(sqlite3.IntegrityError):
        save(conn, nonce(envelope=b"another"))


def test_the_first_done_of_a_signer_counts(conn: sqlite3.Connection) -> None:
    first = SaveMessage(
        Signed(Message(SESSION, bytes(32), DoneBody(bytes(32))), b"d" * 32, b"first"), SESSION, 0, 4, True
    )
    save(conn, first, replace(first, message=replace(first.message, envelope=b"second")))
    assert [stored.envelope for stored in reading.messages(conn, [SESSION])] == [b"first"]


def test_a_lock_is_taken_once(conn: sqlite3.Connection) -> None:
    save(conn, SaveLock(SESSION, KEYS[0], 0, bytes(32)), SaveLock(SESSION, KEYS[0], 1, bytes(32)))
    with pytest.raises(sqlite3.IntegrityError):
        save(conn, SaveLock(SESSION, KEYS[0], 1, b"x" * 32))


def test_a_session_row_comes_back_as_it_was(conn: sqlite3.Connection) -> None:
    ended = row(
        state=State.ABORTED,
        reason="bad_partial",
        scope="request",
        culprits=(KEYS[1],),
        missing=KEYS,
        superseded_by=b"s" * 32,
        all_joined_wall_ms=NOW,
        released_at_ms=NOW + 1,
        partial_released=True,
        nonce_sent=True,
        by=KEYS[1],
        conflicting=(KEYS[0],),
    )
    save(conn, SaveSession(row()), SaveSession(ended))
    assert [stored.row for stored in reading.session(conn, SESSION)] == [ended]


def test_signatures_are_never_replaced(conn: sqlite3.Connection) -> None:
    done = SaveOutcome(REQUEST, Outcome.COMPLETE, signatures=(b"1" * 64,), completed_ms=NOW)
    save(conn, done, replace(done, signatures=(b"2" * 64,), completed_ms=NOW + 5, turn=1))
    stored = reading.request(conn, REQUEST)
    assert stored is not None
    assert (stored.signatures, stored.completed_ms, stored.turn) == ((b"1" * 64,), NOW, 1)


def test_what_settles_without_an_outcome_is_settled(conn: sqlite3.Connection) -> None:
    save(conn, SaveOutcome(REQUEST, Outcome.COMPLETE, signatures=(b"1" * 64,), completed_ms=NOW))
    assert reading.unsettled(conn) == [REQUEST]
    save(conn, settled=True)
    assert reading.unsettled(conn) == []
    save(conn, SaveOutcome(REQUEST, Outcome.COMPLETE, turn=1))
    assert reading.unsettled(conn) == []


def test_of_several_states_of_a_session_the_last_is_stored(conn: sqlite3.Connection) -> None:
    save(conn, SaveSession(row()), join(), SaveSession(row(state=State.ROUND1, nonce_sent=True)))
    assert [stored.row.state for stored in reading.session(conn, SESSION)] == [State.ROUND1]


def test_retention_removes_bodies_and_leaves_the_locks(conn: sqlite3.Connection) -> None:
    decline = Signed(Decline("lotus", REQUEST, KEYS[1], "no", NOW), b"x" * 32, b"decline")
    save(conn, join(), nonce(), SaveLock(SESSION, KEYS[0], 0, bytes(32)), SaveSession(row()))
    save(conn, SaveRecord(REQUEST, None, decline), SaveOutcome(REQUEST, Outcome.DECLINED), settled=True)
    limits = SigningLimits(keep_finished_ms=1_000, keep_joins_ms=2_000)
    assert delete_old(conn, NOW + 2_999, limits) == 0
    assert delete_old(conn, NOW + 3_001, limits) == 1
    tables = ("requests", "keys", "joins", "sessions", "messages", "records", "locks")
    left = {name: conn.execute(f"SELECT count(*) FROM signing_{name}").fetchone()[0] for name in tables}
    assert left == {**dict.fromkeys(tables, 0), "locks": 1}


def test_unsettled_requests_stay(conn: sqlite3.Connection) -> None:
    save(conn, SaveOutcome(REQUEST, Outcome.COMPLETE, signatures=(b"1" * 64,)))
    assert delete_old(conn, NOW + 10**12, SigningLimits()) == 0


def ended(conn: sqlite3.Connection, number: int, source: bytes | None, *, joined: bool = False) -> bytes:
    """A request that was cancelled, perhaps after an own key had joined it; its id."""
    made = bytes([number]) * 32
    rows.save_requests(conn, [SaveRequest(replace(request(), id=made), frozenset({KEYS[0]}), source, NOW)])
    batch = SaveBatch(NOW + number)
    mine = join()
    about = replace(mine, join=replace(mine.join, record=replace(mine.join.record, request=made)))
    effects: tuple[Save, ...] = (SaveOutcome(made, Outcome.CANCELLED),)
    batch.add(made, (about, *effects) if joined else effects, settled=True)
    batch.write(conn)
    return made


def test_of_ended_requests_that_no_own_key_joined_the_newest_stay(conn: sqlite3.Connection) -> None:
    old, newer, newest = (ended(conn, number, PEER) for number in (1, 2, 3))
    ended(conn, 4, None)
    ended(conn, 5, PEER, joined=True)
    limits = SigningLimits(ended_unsolicited=1, idle_ms=1_000)
    assert unwanted(conn, NOW + 2_000, limits) == []
    surplus = unwanted(conn, NOW + 3_000, limits)
    assert set(surplus) == {old, newer}
    delete_requests(conn, surplus)
    assert reading.request(conn, newest) is not None
    assert reading.request(conn, old) is None
    assert unwanted(conn, NOW + 3_000, limits) == []
