"""The event stream: nothing missed, nothing twice, nothing of others, and a slow reader hurts only itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from rpc.events.frames import close_frame, ping_frame, text_frame
from rpc.methods import samples
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld, World

KEY_A, KEY_B = samples.KEY_A, samples.KEY_B


class Listener:
    """A WebSocket with one subscription."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, subscribed: dict[str, Any]) -> None:
        self.ws = ws
        self.subscribed = subscribed

    async def next(self) -> dict[str, Any]:
        note = await self.ws.receive_json(timeout=180)
        assert note["method"] == "subscription", note
        assert note["params"]["subscription"] == self.subscribed["subscription"]
        result: dict[str, Any] = note["params"]["result"]
        return result

    async def seqs(self, count: int) -> list[int]:
        return [(await self.next())["seq"] for _ in range(count)]


@asynccontextmanager
async def listening(world: World, token: str = COOKIE, **params: Any) -> AsyncIterator[Listener]:
    async with world.websocket(token) as ws:
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": params})
        reply = await ws.receive_json(timeout=180)
        assert "result" in reply, reply
        yield Listener(ws, reply["result"])


async def test_answer_to_subscribe_comes_before_its_first_notification(world: World) -> None:
    world.log.append("session:ready", "session:complete")
    async with listening(world, fromSeq=1) as listener:
        assert listener.subscribed["logId"] == world.log.log_id
        assert await listener.seqs(2) == [1, 2]


async def test_without_from_seq_only_what_comes_from_now_on_is_told(world: World) -> None:
    world.log.append("session:ready")
    async with listening(world) as listener:
        assert listener.subscribed["nextSeq"] == 2
        world.log.append("session:complete", sessionId=samples.SESSION)
        event = await listener.next()
        assert (event["seq"], event["event"]) == (2, "session:complete")
        assert event["data"] == {"sessionId": samples.SESSION}


async def test_catching_up_misses_nothing_while_new_events_arrive(world: World) -> None:
    world.log.append(*["session:ready"] * 3_000)
    async with listening(world, fromSeq=1) as listener:
        heard: list[int] = []
        while len(heard) < 3_300:
            heard.append((await listener.next())["seq"])
            if len(heard) % 10 == 0 and world.log.next_seq <= 3_300:
                world.log.append("session:complete")
        assert heard == list(range(1, 3_301))


async def test_names_and_prefixes_choose(world: World) -> None:
    async with listening(world, events=["session:*", "peer:banned"]) as listener:
        world.log.append("session:ready", "signer:advertised", "peer:connected", "peer:banned", "session:error")
        assert await listener.seqs(3) == [1, 4, 5]
    for wrong in (["sessions:*"], ["session"], ["*"], []):
        assert await world.reason("getEvents", {"fromSeq": 0, "events": wrong}) == "invalid_params"


async def test_filter_narrows_to_key_session_and_request(world: World) -> None:
    async with listening(world, filter={"publicKey": KEY_A, "requestId": samples.REQUEST}) as listener:
        world.log.append("session:ready", publicKeys=[KEY_A], requestId=samples.REQUEST)
        world.log.append("session:ready", publicKeys=[KEY_A], requestId="00" * 32)
        world.log.append("participant:joined", publicKey=KEY_A, requestId=samples.REQUEST)
        world.log.append("session:ready", publicKeys=[KEY_B], requestId=samples.REQUEST)
        world.log.append("session:complete", publicKeys=[KEY_A, KEY_B], requestId=samples.REQUEST)
        assert await listener.seqs(3) == [1, 3, 5]


async def test_token_bound_to_a_key_hears_only_of_that_key_and_of_signers_it_follows(world: World) -> None:
    token = world.tokens.make("wallet", "discover", keys=[KEY_A])
    await world.result("subscribeToSignerDiscovery", {"transactionTypes": ["swap"]}, token)
    async with listening(world, token, fromSeq=1) as listener:
        world.log.append("session:ready", publicKeys=[KEY_B])
        world.log.append("session:ready", publicKeys=[KEY_A])
        world.log.append("peer:connected", peerId="x")
        world.log.append("signer:discovered", advertisement=samples.ADVERTISEMENT)
        world.log.append("signer:advertised", publicKeys=[KEY_B])
        world.log.append("session:complete", publicKeys=[KEY_B, KEY_A])
        assert await listener.seqs(3) == [2, 4, 6]
    page = await world.result("getEvents", {"fromSeq": 1}, token)
    assert [event["seq"] for event in page["events"]] == [2, 4, 6]


async def test_event_of_two_own_keys_names_to_each_wallet_its_own_whoever_else_listens(world: World) -> None:
    token = world.tokens.make("wallet", "read", keys=[KEY_B])
    async with listening(world) as everything, listening(world, token) as bound:
        world.log.append("session:ready", publicKeys=[KEY_A, KEY_B])
        assert (await everything.next())["data"]["publicKeys"] == [KEY_A, KEY_B]
        assert (await bound.next())["data"]["publicKeys"] == [KEY_B]
    (event,) = (await world.result("getEvents", {"fromSeq": 1}, token))["events"]
    assert event["data"]["publicKeys"] == [KEY_B]
    for key, heard in ((KEY_A, []), (KEY_B, [1])):
        page = await world.result("getEvents", {"fromSeq": 1, "filter": {"publicKey": key}}, token)
        assert [event["seq"] for event in page["events"]] == heard, "a filter does not tell whose key is here"


async def test_every_wallet_hears_of_the_lock_and_only_admins_and_itself_of_a_token(world: World) -> None:
    reader, admin = world.tokens.make("reader", "read"), world.tokens.make("admin", "admin")
    bound = world.tokens.make("wallet", "admin", keys=[KEY_A])
    world.log.append("node:locked")
    world.log.append("token:created", tokenId="id-wallet", publicKeys=[KEY_A])
    world.log.append("token:created", tokenId="id-other", publicKeys=[KEY_A])
    world.log.append("key:created", publicKey=KEY_B, publicKeys=[KEY_B])
    world.log.append("node:unlocked")
    for token, heard in ((COOKIE, [1, 2, 3, 4, 5]), (admin, [1, 2, 3, 4, 5]), (reader, [1, 4, 5]), (bound, [1, 2, 5])):
        page = await world.result("getEvents", {"fromSeq": 1}, token)
        assert [event["seq"] for event in page["events"]] == heard, token


def tell_of_signers(world: World) -> None:
    """One signer each for swaps and escrow appears, and goes; an own key of the daemon is withdrawn."""
    for name in ("swap", "escrow"):
        criteria = {**samples.CRITERIA, "transactionTypes": [name, "channel"]}
        world.log.append("signer:discovered", advertisement={**samples.ADVERTISEMENT, "criteria": criteria})
        world.log.append("signer:unavailable", publicKey=KEY_B, reason="peer_left", transactionTypes=[name])
        world.log.append("signer:withdrawn", publicKey=KEY_B, transactionTypes=[name])
    world.log.append("signer:withdrawn", publicKey=KEY_A, publicKeys=[KEY_A])


async def test_each_token_hears_of_signers_of_the_types_it_follows_itself(world: World) -> None:
    follow = {"cookie-token": ["swap"], world.tokens.make("two", "discover"): ["escrow"]}
    for token, types in follow.items():
        await world.result("subscribeToSignerDiscovery", {"transactionTypes": types}, token)
    reader = world.tokens.make("three", "read")
    async with (
        listening(world, events=["signer:*"]) as cookie,
        listening(world, "two") as two,
        listening(world, reader) as nothing,
    ):
        tell_of_signers(world)
        assert await cookie.seqs(4) == [1, 2, 3, 7]
        assert await two.seqs(4) == [4, 5, 6, 7]
        assert await nothing.seqs(1) == [7]
    for token, seqs in (("cookie-token", [1, 2, 3, 7]), ("two", [4, 5, 6, 7]), (reader, [7])):
        page = await world.result("getEvents", {"fromSeq": 1}, token)
        assert [event["seq"] for event in page["events"]] == seqs


async def test_wallets_that_share_a_daemon_hear_of_each_others_keys_as_signers(world: World) -> None:
    for token, key in (("cookie-token", None), ("one", KEY_A), ("two", KEY_B)):
        if key is not None:
            world.tokens.make(token, "discover", keys=[key])
        await world.result("subscribeToSignerDiscovery", {"transactionTypes": ["swap"]}, token)
    signer = {**samples.ADVERTISEMENT, "publicKey": KEY_A, "criteria": {"transactionTypes": ["swap"]}}
    world.log.append("signer:discovered", advertisement=signer, sameDaemon=True)
    world.log.append("signer:withdrawn", publicKey=KEY_A, transactionTypes=["swap"], sameDaemon=True)
    for token, seqs in (("cookie-token", []), ("one", []), ("two", [1, 2])):
        page = await world.result("getEvents", {"fromSeq": 1}, token)
        assert [event["seq"] for event in page["events"]] == seqs


async def test_a_new_follow_counts_at_once_for_open_subscriptions(world: World) -> None:
    async with listening(world) as listener:
        tell_of_signers(world)
        await world.result("subscribeToSignerDiscovery", {"transactionTypes": ["escrow"]})
        tell_of_signers(world)
        await world.result("unsubscribeFromSignerDiscovery")
        tell_of_signers(world)
        assert await listener.seqs(6) == [7, 11, 12, 13, 14, 21]


@pytest.mark.parametrize(
    ("wanted", "gap", "first"),
    [
        ({"fromSeq": 3}, {"from": 3, "to": 10}, 11),
        ({"fromSeq": 1}, None, 11),
        ({"fromSeq": 0}, None, 11),
        ({"fromSeq": 12}, None, 12),
        ({"fromSeq": 12, "logId": "log1"}, None, 12),
        ({"fromSeq": 12, "logId": "another"}, {"from": 1, "to": 15}, 16),
        ({"fromSeq": 99}, {"from": 1, "to": 15}, 16),
    ],
)
async def test_a_gap_is_reported_first(
    world: World, wanted: dict[str, Any], gap: dict[str, int] | None, first: int
) -> None:
    world.log.append(*["session:ready"] * 15)
    world.log.forget(10)
    page = await world.result("getEvents", wanted)
    assert page.get("gap") == gap
    async with listening(world, **wanted) as listener:
        if gap is not None:
            told = await listener.next()
            assert (told["event"], told["data"]) == ("events:gap", gap)
            assert "seq" not in told
        world.log.append("session:complete")
        assert await listener.seqs(1) == [first]


async def test_an_idle_subscription_hears_its_position(make_world: MakeWorld) -> None:
    world = await make_world(progress_s=0.05)
    async with listening(world, events=["peer:banned"]) as listener:
        world.log.append("session:ready")
        while (told := await listener.next())["data"] != {"nextSeq": 2}:
            assert told["event"] == "events:progress"
        assert "seq" not in told


async def test_unsubscribed_connection_hears_no_more_and_may_hold_several_subscriptions(make_world: MakeWorld) -> None:
    world = await make_world(max_subscriptions=2)
    async with listening(world) as listener:
        ws = listener.ws
        for call_id in (2, 3):
            await ws.send_json({"jsonrpc": "2.0", "id": call_id, "method": "subscribe"})
        second, refused = await ws.receive_json(timeout=180), await ws.receive_json(timeout=180)
        assert refused["error"]["data"]["reason"] == "too_many"
        named = {"subscription": second["result"]["subscription"]}
        await ws.send_json({"jsonrpc": "2.0", "id": 4, "method": "unsubscribe", "params": named})
        assert (await ws.receive_json(timeout=180))["result"] is True
        world.log.append("session:ready")
        assert await listener.seqs(1) == [1]
        await ws.send_json({"jsonrpc": "2.0", "id": 5, "method": "unsubscribe", "params": {"subscription": "2"}})
        assert (await ws.receive_json(timeout=180))["error"]["data"]["reason"] == "not_found"
    assert await world.reason("subscribe") == "invalid_request"


async def test_slow_reader_is_closed_with_1013_after_what_was_written_and_can_resume(make_world: MakeWorld) -> None:
    world = await make_world(max_backlog_bytes=50_000, close_grace_s=10)
    stuck = await stuck_subscriber(world)
    async with listening(world, events=["session:ready"]) as quick:
        for _ in range(400):
            world.log.append("session:ready", padding="x" * 10_000)
            await quick.next()
        assert len(world.server._hub) == 1, "the stuck one is gone, the quick one stays"
    received = await asyncio.get_running_loop().run_in_executor(None, drain, stuck)
    stuck.close()
    assert close_frame(1013, "too slow; resume from the last seq you have") in received
    last = int(received.rpartition(b'"seq":')[2].partition(b",")[0])
    assert 1 <= last < 400
    page = await world.result("getEvents", {"fromSeq": last + 1, "limit": 1})
    assert page["events"][0]["seq"] == last + 1


async def test_slow_reader_that_wakes_late_still_finds_the_1013(make_world: MakeWorld) -> None:
    world = await make_world(max_backlog_bytes=50_000, close_grace_s=0.05)
    stuck = await stuck_subscriber(world)
    while len(world.server._hub):
        world.log.append("session:ready", padding="x" * 10_000)
        await asyncio.sleep(0)
    later = await stuck_subscriber(world)  # says goodbye after the slow one, and its time runs out after it too
    later.send(bytes((0x82, 0x80)) + bytes(4))
    await asyncio.get_running_loop().run_in_executor(None, drain, later)
    received = await asyncio.get_running_loop().run_in_executor(None, drain, stuck)
    stuck.close(), later.close()
    assert received.endswith(close_frame(1013, "too slow; resume from the last seq you have"))


async def test_client_that_answers_no_ping_finds_a_1013_and_one_that_does_stays(make_world: MakeWorld) -> None:
    world = await make_world(heartbeat_s=0.5, token_check_s=0.02)
    stuck = await stuck_subscriber(world)
    async with world.websocket(autoping=False) as ws:
        for _ in range(2):
            assert (await ws.receive(timeout=180)).type is aiohttp.WSMsgType.PING
            await ws.pong()
        assert len(world.server._hub) == 0
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "getInfo"})
        assert "result" in await ws.receive_json(timeout=180)
    received = await asyncio.get_running_loop().run_in_executor(None, drain, stuck)
    stuck.close()
    told = close_frame(1013, "no answer to a ping; resume from the last seq you have")
    assert received.endswith(ping_frame() + told)


async def test_frames_of_a_reader_that_catches_up_again_arrive_whole_and_in_order(make_world: MakeWorld) -> None:
    world = await make_world(max_backlog_bytes=20_000_000)
    async with listening(world) as listener:
        for _ in range(1_000):
            world.log.append("session:ready", padding="x" * 10_000)
        assert await listener.seqs(1_000) == list(range(1, 1_001))


async def stuck_subscriber(world: World) -> socket.socket:
    """Subscribes over a raw socket and then reads nothing."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    stuck.setblocking(False)
    await asyncio.get_running_loop().sock_connect(stuck, ("127.0.0.1", world.server.port))
    lines = ["GET /ws HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    lines += [f"Authorization: Bearer {COOKIE}"]
    call = b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}'
    stuck.send("\r\n".join([*lines, "", ""]).encode() + bytes((0x81, 0x80 | len(call))) + bytes(4) + call)
    async with asyncio.timeout(180):
        while len(world.server._hub) == 0:
            await world.result("getInfo")
    return stuck


def drain(stuck: socket.socket) -> bytes:
    stuck.setblocking(True)
    stuck.settimeout(60)
    received = b""
    while b"resume from" not in received and (part := stuck.recv(1 << 20)):
        received += part
    return received


async def test_two_hundred_subscribers_hear_the_same_in_order(world: World) -> None:
    async with asyncio.TaskGroup() as group:
        heard = [group.create_task(hear(world, 50)) for _ in range(200)]
        async with asyncio.timeout(180):
            while len(world.server._hub) < 200:
                await world.result("getInfo")
        for _ in range(50):
            world.log.append("session:ready")
            await asyncio.sleep(0)
    assert all(task.result() == list(range(1, 51)) for task in heard)


async def hear(world: World, count: int) -> list[int]:
    async with listening(world) as listener:
        return await listener.seqs(count)


async def test_long_poll_returns_with_the_first_event_that_fits(world: World) -> None:
    params = {"fromSeq": 1, "waitMs": 60_000, "events": ["session:complete"]}
    waiting = asyncio.ensure_future(world.result("getEvents", params))
    await world.log.listened_to_by(2)
    world.log.append("session:ready")
    await world.log.listened_to_by(2)
    world.log.append("session:ready", "session:complete")
    page = await asyncio.wait_for(waiting, 10)
    assert [event["seq"] for event in page["events"]] == [3]
    assert page["nextSeq"] == 4


async def test_long_poll_hears_of_the_key_that_its_token_makes_meanwhile(world: World) -> None:
    token = world.tokens.make("wallet", "sign", keys=[], create_key=True)
    waiting = asyncio.ensure_future(world.result("getEvents", {"fromSeq": 1, "waitMs": 60_000}, token))
    await world.log.listened_to_by(2)
    made = await world.result("createKey", {"scheme": "lotus"}, token)
    page = await asyncio.wait_for(waiting, 10)
    assert page["events"][0]["data"]["publicKeys"] == [made["publicKey"]]


async def test_long_poll_ends_with_its_token(world: World) -> None:
    token = world.tokens.make("wallet", "read", keys=[KEY_A])
    waiting = asyncio.ensure_future(world.reason("getEvents", {"fromSeq": 1, "waitMs": 60_000}, token))
    await world.log.listened_to_by(2)
    world.tokens.revoke("id-wallet")
    world.log.append("session:ready", publicKeys=[KEY_A])
    assert await asyncio.wait_for(waiting, 10) == "unauthenticated"


async def test_pages_of_events_follow_each_other_without_a_hole(world: World) -> None:
    world.log.append(*["session:ready", "session:complete"] * 600)
    heard, position = [], 0
    while page := (await world.result("getEvents", {"fromSeq": position, "limit": 250, "events": ["session:ready"]})):
        if not page["events"]:
            break
        heard += [event["seq"] for event in page["events"]]
        position = page["nextSeq"]
    assert heard == list(range(1, 1_200, 2))
    assert page["nextSeq"] == 1_201
    empty = await world.result("getEvents", {"fromSeq": 1_201, "waitMs": 10})
    assert (empty["events"], empty["nextSeq"]) == ([], 1_201)


def test_frames_carry_their_length_in_the_shortest_form() -> None:
    assert text_frame(b"ab") == b"\x81\x02ab"
    assert text_frame(b"x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert text_frame(b"x" * 65_536)[:10] == b"\x81\x7f" + (65_536).to_bytes(8)
    assert len(close_frame(1013, "y" * 200)) == 127
