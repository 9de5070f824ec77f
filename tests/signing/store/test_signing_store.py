"""When saving fails: nothing leaves, the attempt ends by name, others are not touched; and what retention removes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from daemon.signing.limits import SigningLimits
from daemon.signing.store.retention import delete_old
from daemon.store import Store
from musig2.protocol.records.records import Message
from musig2.protocol.wire.frame_codec import open_frame
from musig2.protocol.wire.frames import Signed
from rpc.errors import ApiError
from tests.signing.signing_world import Daemon, World, announce, join, signatures
from tests.signing.wire_watch import assert_nonces_used_once


class FaultyDisk:
    """A store whose writes fail as long as `wanted` says so of what is being written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken: Callable[[sqlite3.Connection], bool] = lambda conn: False

    async def write(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        def checked(conn: sqlite3.Connection) -> Any:
            before = conn.total_changes
            value = fn(conn)
            if conn.total_changes != before and self.broken(conn):
                raise sqlite3.OperationalError("the disk of this test is broken")
            return value

        return await self._store.write(checked)

    def read(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        return self._store.read(fn)

    def query(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        return self._store.query(fn)

    async def read_slow(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        return await self._store.read_slow(fn)


def partials_stored(conn: sqlite3.Connection) -> bool:
    return conn.execute("SELECT 1 FROM signing_locks LIMIT 1").fetchone() is not None


async def on_faulty_disk(daemon: Daemon) -> FaultyDisk:
    """Start the daemon again with a disk that can fail."""
    await daemon.stop()
    daemon.store_of = FaultyDisk
    await daemon.start()
    disk = daemon.signing_store
    assert isinstance(disk, FaultyDisk)
    return disk


async def test_a_partial_that_cannot_be_stored_never_leaves(world: World) -> None:
    one, two = await world.grow(2)
    disk = await on_faulty_disk(one)
    disk.broken = partials_stored
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    event = await one.until("session:aborted", requestId=request)
    assert (event.data["reason"], event.data["culprits"]) == ("store_failed", [])
    await two.until("session:aborted", requestId=request)
    said = [open_frame(data, max_bytes=2**20) for sender, _, data in world.hub.carried if sender == one.peer]
    messages = [frame.record for frame in said if isinstance(frame, Signed) and isinstance(frame.record, Message)]
    assert [message.seq for message in messages if message.seq == 2] == []
    assert_nonces_used_once(world.hub)


async def test_a_request_that_cannot_be_stored_is_not_sent(world: World) -> None:
    one, two = await world.grow(2)
    disk = await on_faulty_disk(one)
    disk.broken = lambda conn: True
    with pytest.raises(ApiError) as caught:
        await announce(one, [one, two])
    assert caught.value.reason == "store_full"
    disk.broken = lambda conn: False
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)
    assert len(two.told("signing-request:received")) == 1


async def test_one_request_that_cannot_be_stored_costs_no_other(world: World) -> None:
    one, two = await world.grow(2)
    disk = await on_faulty_disk(one)
    first = (await announce(one, [one, two]))["requestId"]
    second = (await announce(one, [one, two]))["requestId"]
    poisoned = bytes.fromhex(first)
    disk.broken = lambda conn: (
        conn.execute(
            "SELECT 1 FROM signing_locks l JOIN signing_sessions s ON s.session = l.session WHERE s.request = ?",
            (poisoned,),
        ).fetchone()
        is not None
    )
    await join(two, first)
    await join(two, second)
    assert await signatures(one, second) == await signatures(two, second)
    event = await one.until("session:aborted", requestId=first)
    assert event.data["reason"] == "store_failed"


async def test_finished_requests_leave_memory_and_are_answered_from_the_store(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(first_pause_ms=20, signed_ms=0))
    one, two = await world.grow(2)
    announced = await announce(one, [one, two])
    request = announced["requestId"]
    await join(two, request)
    found = await signatures(one, request)
    first, other = sorted((one, two), key=lambda daemon: daemon.key)
    await first.call("notifyBroadcastComplete", sessionId=announced["sessionId"], txid="ab" * 32)
    await other.until("session:broadcast-confirmed", requestId=request)
    for daemon in (one, two):
        daemon.service.sweeper.sweep()
        await daemon.service.engine.turned()
        assert len(daemon.service._roster) == 0
    assert await signatures(one, request) == found
    assert (await two.call("getSession", sessionId=announced["sessionId"]))["phase"] == "complete"
    await two.call("notifyBroadcastComplete", sessionId=announced["sessionId"], txid="ab" * 32)


async def test_a_call_about_an_ended_request_does_not_keep_it_in_memory(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(first_pause_ms=20, signed_ms=0))
    one, two = await world.grow(2)
    request = (await announce(one, [one, two], election=None))["requestId"]
    await join(two, request)
    await signatures(two, request)
    for _ in range(2):
        two.service.sweeper.sweep()
        await two.service.engine.turned()
        assert list(two.service._roster) == []
        with pytest.raises(ApiError):
            await two.call("declineSigningRequest", requestId=request, publicKey=two.key.hex())
        assert [entry.request.id.hex() for entry in two.service._roster] == [request]


async def test_a_declined_request_stays_in_memory_longer_than_a_signed_one(make_world: Callable[..., World]) -> None:
    world = make_world(limits=SigningLimits(first_pause_ms=20, signed_ms=0))
    one, two = await world.grow(2)
    signed, declined = [(await announce(one, [one, two], election=None))["requestId"] for _ in range(2)]
    await join(two, signed)
    await signatures(one, signed)
    await two.until("signing-request:received", requestId=declined)
    await two.call("declineSigningRequest", requestId=declined, publicKey=two.key.hex())
    await one.until("signing-request:declined", requestId=declined)

    one.service.sweeper.sweep()
    await one.service.engine.turned()

    assert [entry.request.id.hex() for entry in one.service._roster] == [declined]


async def test_after_its_retention_a_request_is_gone_and_its_locks_are_not(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two], election=None, ttl=1_000))["requestId"]
    await join(two, request)
    await signatures(one, request)
    limits = SigningLimits(keep_finished_ms=1_000, keep_joins_ms=1_000)
    assert await one.store.write(lambda conn: delete_old(conn, one.clock.wall_ms(), limits)) == 0
    assert await one.store.write(lambda conn: delete_old(conn, one.clock.wall_ms() + 5_000, limits)) == 1
    with pytest.raises(ApiError) as caught:
        await one.call("getSigningRequest", requestId=request)
    assert caught.value.reason == "not_found"
    locks = one.store.read(lambda conn: conn.execute("SELECT count(*) FROM signing_locks").fetchone()[0])
    assert locks == 1


async def test_quiet_waits_for_rounds_and_not_for_joins(world: World) -> None:
    one, two = await world.grow(2)
    await announce(one, [one, two])
    await one.service.quiet()
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request, autoAdvance=False)
    session = (await one.until("session:ready", requestId=request)).data["sessionId"]
    await two.call("startRound1", sessionId=session)
    await two.call("startRound2", sessionId=session)
    await one.service.quiet()
    assert await signatures(one, request) == await signatures(two, request)
