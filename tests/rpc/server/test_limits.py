"""Too large, too slow, too many: each is refused with the setting that it exceeds, and harms no other client."""

from __future__ import annotations

import asyncio
import resource
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rpc.calls.limits import RateLimit
from rpc.config import RpcConfig
from rpc.errors import ListenError
from rpc.ports import Problem
from rpc.server import listen
from rpc.server.listen import affordable_connections, tcp_socket
from tests.certificates import certificate
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld, World


async def raw(world: World, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    writer.write(data)
    return reader, writer


def head(length: int, path: str = "/rpc") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {COOKIE}"]
    return "\r\n".join([*lines, "Content-Type: application/json", f"Content-Length: {length}", "", ""]).encode()


async def test_body_beyond_the_limit_is_refused_unread(make_world: MakeWorld) -> None:
    world = await make_world(max_body_bytes=1_000)
    for path in ("/rpc", "/"):
        reader, writer = await raw(world, head(1_001, path))
        assert b"413" in await asyncio.wait_for(reader.readline(), 60)
        writer.close()
    status, reply = await world.post(b'"' + b"x" * 1_001 + b'"')
    assert (status, reply["error"]["data"]["setting"]) == (413, "limits.rpc_body_bytes")


async def chunks(size: int) -> Any:
    for _ in range(size // 100):
        yield b"x" * 100


async def test_body_without_a_length_is_cut_off_at_the_limit(make_world: MakeWorld) -> None:
    world = await make_world(max_body_bytes=1_000)
    headers = {**world.bearer(), "Content-Type": "application/json"}
    async with world.session.post(world.server.url, data=chunks(5_000), headers=headers) as response:
        assert response.status == 413


async def test_slow_body_is_given_up(make_world: MakeWorld) -> None:
    world = await make_world(body_timeout_s=0.05)
    reader, writer = await raw(world, head(50) + b'{"json')
    assert b"408" in await asyncio.wait_for(reader.readline(), 60)
    writer.close()


async def test_a_client_that_asks_before_it_sends_a_body_is_told_to_send_it(make_world: MakeWorld) -> None:
    world = await make_world(max_body_bytes=1_000)
    body = b'{"jsonrpc":"2.0","id":1,"method":"getInfo"}'
    for length, answer in ((len(body), b"HTTP/1.1 100 Continue"), (1_001, b"HTTP/1.1 413 ")):
        asking = head(length).replace(b"Host:", b"Expect: 100-Continue\r\nHost:")
        reader, writer = await raw(world, asking)
        assert (await asyncio.wait_for(reader.readline(), 60)).startswith(answer)
        if length == len(body):
            assert await reader.readline() == b"\r\n"
            writer.write(body)
            assert b"200 OK" in await asyncio.wait_for(reader.readline(), 60)
        writer.close()


async def test_oversized_websocket_message_closes_that_connection_alone(make_world: MakeWorld) -> None:
    world = await make_world(max_body_bytes=1_000)
    async with world.websocket() as ws:
        await ws.send_str("x" * 1_001)
        await ws.receive(timeout=180)
        assert ws.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert (await world.result("getInfo"))["network"] == "main"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_body_that_is_not_json_by_its_type_is_refused(world: World, content_type: str) -> None:
    headers = {**world.bearer(), "Content-Type": content_type}
    async with world.session.post(world.server.url, data=b"{}", headers=headers) as response:
        assert response.status == 415
    assert (await world.post(b"{}", **{"Content-Encoding": "gzip"}))[0] == 415
    assert (await world.post(b"{}", **{"Content-Type": "application/json; charset=utf-8"}))[0] == 200


async def test_unknown_route_and_wrong_method_say_where_to_go(world: World) -> None:
    async with world.session.get(f"{world.base}/rpc") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    async with world.session.get(f"{world.base}/../etc/passwd") as response:
        assert response.status == 404


async def test_calls_beyond_the_rate_of_a_token_are_refused_with_a_time_to_wait(make_world: MakeWorld) -> None:
    world = await make_world(calls_per_second=5)
    token, other = world.tokens.make("busy", "read"), world.tokens.make("calm", "read")
    call = {"jsonrpc": "2.0", "id": 1, "method": "getInfo"}
    status, reply = await world.post([call] * 5, token)
    assert (status, len(reply)) == (200, 5)
    status, reply = await world.post(call, token)
    assert status == 429
    data = reply["error"]["data"]
    assert data["reason"] == "rate_limited"
    assert data["setting"] == "limits.rpc_calls_per_second"
    assert 0 < data["retryAfterMs"] <= 1_000
    assert (await world.post(call, other))[0] == 200


def test_bucket_fills_again_with_time() -> None:
    now = 0.0
    rate = RateLimit(10, 2, lambda: now)
    assert [rate.take("a", 1) is None for _ in range(3)] == [True, True, False]
    now = 0.1
    assert [rate.take("a", 1) is None for _ in range(2)] == [True, False]
    now = 100.0
    assert rate.take("a", 50) is None, "a batch larger than the bucket waits for a full one"
    refusal = rate.take("a", 50)
    assert refusal is not None
    assert refusal.data["retryAfterMs"] == 200


async def test_more_calls_at_once_than_allowed_are_told_busy(make_world: MakeWorld) -> None:
    world = await make_world(max_calls_at_once=1)
    waiting = asyncio.ensure_future(world.call("getEvents", {"fromSeq": 1, "waitMs": 60_000}))
    await world.log.listened_to_by(2)
    status, reply = await world.post({"jsonrpc": "2.0", "id": 1, "method": "getInfo"})
    assert (status, reply["error"]["data"]["reason"]) == (503, "busy")
    assert reply["error"]["data"]["retryAfterMs"] > 0
    world.log.append("session:ready")
    assert len((await waiting)["result"]["events"]) == 1


async def test_two_thousand_idle_connections_do_not_keep_others_out(make_world: MakeWorld) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 8_192 if hard == resource.RLIM_INFINITY else min(8_192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))  # both ends of all connections are in this process
    world = await make_world(max_connections=500)
    idle = [await raw(world, b"") for _ in range(2_000)]
    assert (await world.result("getInfo"))["network"] == "main"
    async with world.websocket() as ws:
        idle += [await raw(world, b"POST / HTT") for _ in range(600)]
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "getInfo"})
        assert "result" in await ws.receive_json(timeout=180), "a connection in use is never the one that is dropped"
    for _, writer in idle:
        writer.close()


async def test_who_has_no_token_cannot_cut_off_a_client_between_its_calls(make_world: MakeWorld) -> None:
    world = await make_world(max_connections=20)
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "getInfo"}'
    call = head(len(body)) + body
    reader, writer = await raw(world, call)
    await reader.readuntil(b'"network":"main"')
    others = [await raw(world, b"POST / HTT") for _ in range(60)]
    await asyncio.gather(*(other.read() for other, _ in others[:40]))
    writer.write(call)
    assert await reader.readuntil(b'"network":"main"')
    for _, other in (*others, (reader, writer)):
        other.close()


async def test_those_without_a_token_have_few_places_and_take_them_from_each_other(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "MOST_STRANGERS", 20)
    world = await make_world()
    async with world.websocket() as ws:
        others = [await raw(world, b"POST / HTT") for _ in range(30)]
        await asyncio.gather(*(other.read() for other, _ in others[:20]))
        assert not any(other.at_eof() for other, _ in others[20:])
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "getInfo"})
        assert "result" in await ws.receive_json(timeout=180)
    for _, other in others:
        other.close()


async def test_idle_connection_is_closed_after_a_while(make_world: MakeWorld) -> None:
    world = await make_world(idle_timeout_s=0.1)
    for started in (b"", b"POST /rpc HTTP/1.1\r\nHost: loc"):
        reader, writer = await raw(world, started)
        assert await asyncio.wait_for(reader.read(), 10) is not None
        writer.close()


async def test_health_tells_reasons_and_remedies(world: World) -> None:
    for path, problems in (("/livez", world.health.dead), ("/readyz", world.health.faults)):
        async with world.session.get(world.base + path) as response:
            assert (response.status, (await response.json())["ok"]) == (200, True)
        problems.append(Problem("p2p_down", "Choose another p2p.listen."))
        async with world.session.get(world.base + path) as response:
            assert response.status == 503
            assert (await response.json())["problems"][0]["reason"] == "p2p_down"


async def test_draining_server_refuses_changes_and_goes_on_reading(world: World) -> None:
    world.server.drain()
    assert await world.reason("createKey", {"scheme": "lotus"}) == "shutting_down"
    assert (await world.result("getInfo"))["network"] == "main"
    async with world.session.get(f"{world.base}/readyz") as response:
        assert response.status == 503


async def test_stopping_server_says_1001_and_ends_waiting_calls(world: World) -> None:
    async with world.websocket() as ws:
        waiting = asyncio.ensure_future(world.call("getEvents", {"fromSeq": 1, "waitMs": 60_000}))
        await world.log.listened_to_by(2)
        stopping = asyncio.ensure_future(world.server.stop())
        assert (await ws.receive(timeout=180)).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 1001
        assert (await waiting)["result"]["events"] == []
        await stopping
    with pytest.raises(aiohttp.ClientConnectorError):
        await world.call("getInfo")


async def test_listener_beyond_loopback_needs_tls_and_says_so(make_world: MakeWorld) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(ListenError, match=r"rpc\.tls_cert"):
            await make_world(host=host)
    with pytest.raises(ListenError, match=r"rpc\.tls_key"):
        await make_world(tls_cert=Path("cert.pem"))
    with pytest.raises(ListenError, match=r"rpc\.tls_cert: /nowhere cannot be read \(No such file or directory\)"):
        await make_world(host="0.0.0.0", tls_cert=Path("/nowhere"), tls_key=Path("/nowhere"))
    with pytest.raises(ListenError, match=r"cannot be used \(one of them holds something else\); name"):
        await make_world(tls_cert=Path(__file__), tls_key=Path(__file__))


async def test_taken_port_is_told_with_its_setting(world: World, make_world: MakeWorld) -> None:
    with pytest.raises(ListenError, match=r"rpc\.listen"):
        await make_world(port=world.server.port)
    with pytest.raises(ListenError, match=r"a\.\.b:1 \(no such host\): correct rpc\.listen"):
        tcp_socket(RpcConfig(host="a..b", port=1))


async def test_tls_listener_serves_and_takes_over_new_files(make_world: MakeWorld, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate(cert, key)
    world = await make_world(host="0.0.0.0", tls_cert=cert, tls_key=key)
    assert (await tls_call(world, cert)) == 200
    others = tmp_path / "other.pem", tmp_path / "other-key.pem"
    certificate(*others)
    assert world.server.reload_tls(cert, key) is False
    assert world.server.reload_tls(*others) is True
    assert world.server.reload_tls(*others) is False
    assert (await tls_call(world, others[0])) == 200
    cert.write_text("broken")
    with pytest.raises(ListenError):
        world.server.reload_tls(cert, key)
    assert (await tls_call(world, others[0])) == 200


async def tls_call(world: World, cert: Path) -> int:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(cert)))
    async with aiohttp.ClientSession(connector=connector) as session:
        call = {"jsonrpc": "2.0", "id": 1, "method": "getInfo"}
        url = f"https://localhost:{world.server.port}/rpc"
        async with session.post(url, json=call, headers=world.bearer()) as response:
            return response.status


def test_loopback_is_recognised() -> None:
    assert RpcConfig(host="127.0.0.53").on_loopback
    assert RpcConfig(host="::1").on_loopback
    assert not RpcConfig(host="0.0.0.0").on_loopback


@pytest.mark.parametrize(
    ("host", "names", "called"),
    [
        ("127.0.0.1", ("localhost", "musigd.example"), "127.0.0.1"),
        ("0.0.0.0", ("localhost", "musigd.example"), "musigd.example"),
        ("0.0.0.0", ("localhost",), "127.0.0.1"),
        ("::", ("localhost",), "::1"),
    ],
)
def test_clients_are_told_a_name_that_can_be_called(host: str, names: tuple[str, ...], called: str) -> None:
    assert RpcConfig(host=host, allowed_hosts=names).called == called


def test_file_descriptors_are_raised_as_far_as_needed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = hard == resource.RLIM_INFINITY
    most = 8_192 if endless else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(700, most), hard))
        assert affordable_connections(RpcConfig(max_connections=600)) == min(600, most - 256)
        too_many = most - 256 if endless else 10**9
        assert affordable_connections(RpcConfig(max_connections=too_many)) == most - 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_the_waiting_calls_of_one_token_leave_room_for_everybody(make_world: MakeWorld) -> None:
    world = await make_world(max_calls_at_once=8)
    greedy, other = world.tokens.make("greedy", "read"), world.tokens.make("other", "read")
    call = {"jsonrpc": "2.0", "id": 1, "method": "getEvents", "params": {"fromSeq": 1, "waitMs": 60_000}}
    waiting = asyncio.ensure_future(world.post([call, call], greedy))
    await world.log.listened_to_by(3)

    assert await world.reason("getInfo", token=greedy) == "busy"
    assert (await world.result("getInfo", token=other))["network"] == "main"
    assert (await world.result("getInfo"))["network"] == "main"

    world.log.append("session:ready")
    assert [len(answer["result"]["events"]) for answer in (await waiting)[1]] == [1, 1]
    assert (await world.result("getInfo", token=greedy))["network"] == "main"


async def test_the_sockets_of_one_token_leave_room_for_everybody(make_world: MakeWorld) -> None:
    world = await make_world(max_connections=8)
    greedy, other = world.tokens.make("greedy", "read"), world.tokens.make("other", "read")
    async with world.websocket(greedy) as first, world.websocket(greedy):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.session.ws_connect(world.server.ws_url, headers=world.bearer(greedy))
        async with world.websocket(other), world.websocket():
            await first.close()
    async with world.websocket(greedy):
        assert refused.value.status == 503


async def test_a_page_of_events_ends_at_a_megabyte(world: World) -> None:
    for _ in range(5):
        world.log.append("session:ready", text="x" * 400_000)
    page = await world.result("getEvents", {"fromSeq": 1})
    rest = await world.result("getEvents", {"fromSeq": page["nextSeq"]})
    assert [event["seq"] for event in (*page["events"], *rest["events"])] == [1, 2, 3, 4, 5]
    assert len(page["events"]) == 3


async def test_a_batch_with_too_large_answers_is_cut(world: World) -> None:
    for _ in range(2):
        world.log.append("session:ready", text="x" * 600_000)
    call = {"jsonrpc": "2.0", "method": "getEvents", "params": {"fromSeq": 1}}
    _, answers = await world.post([{**call, "id": number} for number in range(100)])
    cut = [answer["error"]["data"]["reason"] for answer in answers if "error" in answer]
    assert [answer["id"] for answer in answers] == list(range(100))
    assert 0 < len(cut) < 100
    assert set(cut) == {"too_large"}


async def test_a_long_list_of_bad_items_is_not_read_to_its_end(world: World) -> None:
    reply = await world.call("aggregateKeys", {"scheme": "lotus", "publicKeys": [0] * 200_000})
    assert [error["path"] for error in reply["error"]["data"]["errors"]] == ["publicKeys[0]"]


async def test_bytes_that_are_not_http_are_neither_repeated_nor_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    reader, writer = await raw(world, b"GET / HTTP/1.1\r\nHost: x\r\nbad header mt_0123456789abcdef\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answer.split(b" ", 2)[1] == b"400"
    assert b'"reason":"invalid_request"' in answer
    assert b"mt_0123456789abcdef" not in answer
    assert not caplog.records
