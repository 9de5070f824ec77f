"""Who broadcasts, who takes over, and how one word ends it for all, across restarts too."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.signing.engine.restore import open_request
from musig2.protocol.broadcast.election import priority
from rpc.errors import ApiError
from tests.signing.signing_world import Daemon, World, announce, join, signatures

TXID, OTHER_TXID = "ab" * 32, "cd" * 32


async def signed(daemons: list[Daemon], **params: Any) -> tuple[str, str, list[Daemon]]:
    """A signed request: its id, its session, and the daemons in the order of their turns to broadcast."""
    announced = await announce(daemons[0], daemons, **params)
    request = announced["requestId"]
    for daemon in daemons[1:]:
        await join(daemon, request)
    for daemon in daemons:
        await signatures(daemon, request)
    record = open_request(bytes.fromhex(announced["request"]["envelope"])).record
    by_key = {daemon.key: daemon for daemon in daemons}
    return request, announced["sessionId"], [by_key[record.keys[index]] for index in priority(record)]


@pytest.mark.parametrize("method", ["lexicographic", "hash-based", "first-signer", "last-signer"])
async def test_the_elected_signer_is_told_to_broadcast(world: World, method: str) -> None:
    daemons = await world.grow(3)
    request, session, order = await signed(daemons, election={"method": method}, metadata={"transactionHex": "00ff"})
    event = await order[0].until("session:should-broadcast", requestId=request)
    assert event.data["transactionHex"] == "00ff"
    assert event.data["signatures"] == await signatures(order[0], request)
    assert not order[1].told("session:should-broadcast")
    shown = await order[2].call("getSession", sessionId=session)
    assert shown["coordinator"]["publicKey"] == order[0].key.hex()
    if method == "first-signer":
        assert order[0] is daemons[0]


async def test_one_notification_ends_failover_for_all(world: World) -> None:
    daemons = await world.grow(3)
    request, session, order = await signed(daemons)
    await order[0].call("notifyBroadcastComplete", sessionId=session, txid=TXID)
    for daemon in daemons:
        event = await daemon.until("session:broadcast-confirmed", requestId=request)
        assert (event.data["publicKey"], event.data["txid"]) == (order[0].key.hex(), TXID)


async def test_two_txids_for_one_session_are_reported_to_all_and_none_replaces_the_other(world: World) -> None:
    daemons = await world.grow(3)
    request, session, order = await signed(daemons)
    await order[0].call("notifyBroadcastComplete", sessionId=session, txid=TXID)
    await order[1].call("notifyBroadcastComplete", sessionId=session, txid=OTHER_TXID)
    for daemon in daemons:
        event = await daemon.until("session:broadcast-conflict", requestId=request)
        claims = {claim["publicKey"]: claim["txid"] for claim in event.data["claims"]}
        assert claims == {order[0].key.hex(): TXID, order[1].key.hex(): OTHER_TXID}
        assert event.data["publicKeys"] == [daemon.key.hex()]
    with pytest.raises(ApiError) as caught:
        await order[0].call("notifyBroadcastComplete", sessionId=session, txid=OTHER_TXID)
    assert (caught.value.reason, caught.value.data["txid"]) == ("already_exists", TXID)
    await order[0].call("notifyBroadcastComplete", sessionId=session, txid=TXID)


async def test_every_backup_gets_its_turn_until_there_is_none_left(world: World) -> None:
    daemons = await world.grow(3)
    request, _, order = await signed(daemons, election={"method": "lexicographic", "broadcastTimeoutMs": 1_000})
    for daemon in order:
        await daemon.until("session:should-broadcast", requestId=request)
    for daemon in daemons:
        event = await daemon.until("session:failover-exhausted", requestId=request)
        assert event.data["attempts"] == 3
        failed = [one.data["failed"] for one in daemon.told("session:coordinator-failed")]
        assert failed[:2] == [order[0].key.hex(), order[1].key.hex()]


async def test_failover_goes_on_after_a_restart(world: World) -> None:
    one, two = await world.grow(2)
    request, _, order = await signed([one, two], election={"method": "lexicographic", "broadcastTimeoutMs": 1_000})
    backup = order[1]
    await backup.stop()
    await backup.start()
    told = await backup.until("session:should-broadcast", requestId=request)
    exhausted = await backup.until("session:failover-exhausted", requestId=request)
    assert told.seq < exhausted.seq


async def test_without_an_election_no_signer_is_told_to_broadcast(world: World) -> None:
    one, two = await world.grow(2)
    request, session, order = await signed([one, two], election=None)
    assert order == []
    assert "coordinator" not in await one.call("getSession", sessionId=session)
    await one.until("session:complete", requestId=request)
    assert not one.told("session:should-broadcast")
