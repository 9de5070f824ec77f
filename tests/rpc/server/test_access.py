"""Every route and method refuses missing and wrong tokens, scopes, hosts, origins and keys of others."""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson
import pytest

from rpc.caller import Scope, scopes_of
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.ports import Problem
from rpc.server.routes import ROUTES, Access
from tests.rpc.rpc_backend import PASSPHRASE
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld, World

OVER_TCP = [place for place, route in ROUTES.items() if route.access is not Access.OWNER]
every_route = pytest.mark.parametrize(("verb", "path"), OVER_TCP, ids=[f"{verb} {path}" for verb, path in OVER_TCP])
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
FOREIGN = "02" + "ee" * 32


async def ask(world: World, verb: str, path: str, **headers: str) -> tuple[int, Any]:
    """A harmless valid request to the route; status and JSON, if that is what comes back."""
    if path == "/ws":
        headers = {**UPGRADE, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **headers}
    body = b'{"jsonrpc":"2.0","id":1,"method":"getInfo"}' if verb == "POST" else None
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    async with world.session.request(verb, world.base + path, data=body, headers=headers) as response:
        if response.status == 101:
            return 101, None
        return response.status, await response.json() if "json" in response.content_type else None


@every_route
async def test_route_needs_a_token_unless_it_is_for_anybody(world: World, verb: str, path: str) -> None:
    open_to_all = ROUTES[verb, path].access is Access.ANYBODY
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {COOKIE}"}):
        status, reply = await ask(world, verb, path, **headers)
        if open_to_all:
            assert status == 200
        else:
            assert (status, reply["error"]["data"]["reason"]) == (401, "unauthenticated")
    assert (await ask(world, verb, path, **world.bearer()))[0] in {200, 101}


async def test_a_token_that_was_not_copied_whole_is_told_from_one_that_is_unknown(world: World) -> None:
    whole = f"mt_{'5e' * 32}"
    for token, said in ((whole[:-2], "has 67 characters and this one has 65: copy it whole"), (whole, "Send a valid")):
        status, reply = await ask(world, "POST", "/rpc", Authorization=f"Bearer {token}")
        assert (status, reply["error"]["data"]["reason"]) == (401, "unauthenticated")
        assert said in reply["error"]["message"]
        assert token not in reply["error"]["message"]


@every_route
async def test_route_refuses_a_rebound_name_and_names_the_setting(world: World, verb: str, path: str) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example:80", "localhost.evil", "", "[::2]:1"):
        status, reply = await ask(world, verb, path, Host=host, **world.bearer())
        assert status == 421, host
        assert reply["error"]["data"]["setting"] == "rpc.allowed_hosts"
        assert ("There is no Host" in reply["error"]["message"]) == (not host)


@every_route
async def test_route_refuses_pages_of_other_sites_and_names_the_setting(world: World, verb: str, path: str) -> None:
    for origin in ("https://evil.example", "null", "http://localhost:1", "http://[", world.base.replace("http", "ftp")):
        status, reply = await ask(world, verb, path, Origin=origin, **world.bearer())
        assert status == 403, origin
        assert reply["error"]["data"]["setting"] == "rpc.allowed_origins"
    assert (await ask(world, verb, path, Origin=world.base, **world.bearer()))[0] in {200, 101}


async def test_allowed_origin_gets_cors_and_others_do_not(make_world: MakeWorld) -> None:
    world = await make_world(allowed_origins=("https://wallet.example",))
    page = {"Origin": "https://wallet.example"}
    async with world.session.options(world.server.url, headers=page) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://wallet.example"
        assert "authorization" in response.headers["Access-Control-Allow-Headers"]
    for token, expected in ((COOKIE, 200), ("wrong", 401)):
        sent = {**page, **world.bearer(token), "Content-Type": "application/json"}
        async with world.session.post(world.server.url, data=b"{}", headers=sent) as response:
            assert response.status == expected
            assert response.headers["Access-Control-Allow-Origin"] == "https://wallet.example"
            assert response.headers["Vary"] == "Origin"
    async with world.session.options(world.server.url, headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers


@every_method
async def test_method_needs_its_scope(world: World, method: Method) -> None:
    for scope in Scope:
        token = world.tokens.make(f"only-{scope}", scope)
        reply = await world.call(method.name, method.example, token)
        reason = reply.get("error", {}).get("data", {})
        if {method.scope, method.or_scope} & scopes_of([scope]):
            assert reason.get("reason") != "forbidden"
        else:
            whose = {"bound": False} if method.whole_daemon else {"bound": True} if method.makes_key else {}
            assert reason == {"reason": "forbidden", "scope": method.scope.value, **whose}


@every_method
async def test_token_bound_to_keys_cannot_touch_the_whole_daemon(world: World, method: Method) -> None:
    token = world.tokens.make("bound", "admin", keys=[samples.KEY_A])
    reply = await world.call(method.name, method.example, token)
    assert (reply.get("error", {}).get("data", {}).get("reason") == "forbidden") == method.whole_daemon


async def test_a_key_of_another_wallet_looks_like_an_unknown_key(world: World) -> None:
    """A wallet bound to another key sees nothing of KEY_A, and cannot tell that it exists."""
    token = world.tokens.make("other", "admin", keys=[FOREIGN])
    assert (await world.result("listKeys", token=token))["keys"] == []
    assert (await world.result("findSigningRequestsForMe", token=token))["requests"] == []
    assert (await world.result("listSessions", token=token))["sessions"] == []
    for method in ("advertiseSigner", "withdrawAdvertisement", "pauseKey", "announceSigningRequest"):
        foreign = await world.call(method, METHODS[method].example, token)
        assert foreign["error"]["data"]["reason"] == "unknown_key"
        missing = orjson.dumps(METHODS[method].example).replace(samples.KEY_A.encode(), FOREIGN.encode())
        nothing = await world.call(method, orjson.loads(missing), token)
        assert foreign["error"]["message"] == nothing["error"]["message"]
    for method in ("getSigningRequest", "cancelSigningRequest", "getSession", "startRound1", "getFinalSignature"):
        assert await world.reason(method, METHODS[method].example, token) == "not_found"


async def test_token_that_may_create_keys_sees_the_key_it_created_on_an_open_connection(world: World) -> None:
    token = world.tokens.make("fresh", "read", "sign", keys=[], create_key=True)
    async with world.websocket(token) as ws:
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "subscribe"})
        await ws.receive_json(timeout=180)
        await ws.send_json({"jsonrpc": "2.0", "id": 2, "method": "createKey", "params": {"scheme": "lotus"}})
        made = [await ws.receive_json(timeout=180) for _ in range(2)]
        key = next(each["result"]["publicKey"] for each in made if each.get("id") == 2)
        await ws.send_json({"jsonrpc": "2.0", "id": 3, "method": "listKeys"})
        listed = await ws.receive_json(timeout=180)
    assert [each["publicKey"] for each in listed["result"]["keys"]] == [key]
    heard = next(each for each in made if each.get("method") == "subscription")
    assert heard["params"]["result"]["data"]["publicKeys"] == [key]


async def test_unknown_scope_is_refused_by_name(world: World) -> None:
    error = (await world.call("createToken", {"scopes": ["read", "root"]}))["error"]
    assert (error["code"], error["data"]["reason"]) == (-32602, "no_such_scope")
    assert error["data"]["errors"] == [
        {"path": "scopes[1]", "message": "must be read, discover, sign, approve, webhook or admin"}
    ]


async def test_revoked_token_closes_its_connections_with_4401(world: World) -> None:
    token = world.tokens.make("phone", "read")
    async with world.websocket(token) as ws, world.websocket() as other:
        assert (await world.result("revokeToken", {"tokenId": "id-phone"}))["revoked"] is True
        assert (await ws.receive(timeout=180)).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4401
        assert not other.closed


async def test_revoked_token_cannot_call_on_in_a_connection_that_it_keeps_open(make_world: MakeWorld) -> None:
    world = await make_world(close_grace_s=5)
    token = world.tokens.make("phone", "admin")
    async with world.websocket(token, autoclose=False) as ws:
        world.tokens.revoke("id-phone")
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "lock"})
        assert (await ws.receive(timeout=180)).type is aiohttp.WSMsgType.CLOSE
    assert "publicKey" in await world.result("createKey", {"scheme": "lotus"}), "not locked"
    assert (await world.post({}, token))[0] == 401


async def test_expired_token_is_refused_and_its_connection_closed(make_world: MakeWorld) -> None:
    world = await make_world(token_check_s=0.01)
    token = world.tokens.make("brief", "read", expires_at=9_999_999_999_999)
    async with world.websocket(token) as ws:
        fact = world.tokens.get("id-brief")
        assert fact is not None
        world.tokens._facts["id-brief"] = type(fact)(fact.token_id, fact.digest, fact.scopes, None, False, 1)
        assert (await ws.receive(timeout=180)).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4401
    assert (await world.post({}, token))[0] == 401


@pytest.mark.parametrize("lines", [("musigd", f"bearer.{COOKIE}"), (f"bearer.{COOKIE}", "x, musigd")])
async def test_two_lines_of_subprotocols_are_one_list_in_any_order(
    world: World, lines: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    headers = [*UPGRADE.items(), ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")]
    headers += [("Sec-WebSocket-Protocol", line) for line in lines]
    async with world.session.get(f"{world.base}/ws", headers=headers) as response:
        assert (response.status, response.headers["Sec-WebSocket-Protocol"]) == (101, "musigd")
        response.close()
    assert COOKIE not in caplog.text


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_head_is_answered_like_get_without_the_body(world: World, path: str) -> None:
    for faults, status in (([], 200), ([Problem("store_failed", "Free some space.")], 503)):
        world.health.faults = world.health.dead = faults
        async with world.session.get(world.base + path) as asked, world.session.head(world.base + path) as response:
            assert (asked.status, response.status) == (status, status)
            assert response.headers["Content-Length"] == asked.headers["Content-Length"]
            assert response.headers["Content-Type"] == asked.headers["Content-Type"]
            assert await response.read() == b""
    async with world.session.put(world.base + path) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_bound_token_is_told_which_token_could_do_it(world: World) -> None:
    bound = world.tokens.make("bound", "read", "admin", keys=[samples.KEY_A])
    for token in (bound, world.tokens.make("reader", "read", keys=[samples.KEY_A])):
        error = (await world.call("lock", token=token))["error"]
        assert "the cookie, or a token with scope admin that createToken made without publicKeys" in error["message"]
        assert (error["data"]["scope"], error["data"]["bound"]) == ("admin", False)
    async with world.session.get(f"{world.base}/metrics", headers=world.bearer(bound)) as response:
        error = (await response.json())["error"]
    assert "a token with scope read that createToken made without publicKeys" in error["message"]


async def test_browser_names_its_token_as_subprotocol_and_only_musigd_is_answered(world: World) -> None:
    protocols = ["musigd", f"bearer.{COOKIE}"]
    async with world.session.ws_connect(world.server.ws_url, protocols=protocols) as ws:
        assert ws.protocol == "musigd"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await world.session.ws_connect(world.server.ws_url, protocols=[f"bearer.{COOKIE}"])
    assert caught.value.status == 400
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await world.session.ws_connect(world.server.ws_url, protocols=["musigd", "bearer.wrong"])
    assert caught.value.status == 401


async def test_metrics_are_for_tokens_that_are_not_bound(world: World) -> None:
    for token, expected in (
        (world.tokens.make("r", "read"), 200),
        (world.tokens.make("b", "read", keys=[FOREIGN]), 403),
    ):
        async with world.session.get(f"{world.base}/metrics", headers=world.bearer(token)) as response:
            assert response.status == expected


async def test_locked_and_wrong_passphrase_have_their_reasons(world: World) -> None:
    await world.result("lock")
    assert await world.reason("createKey", {"scheme": "lotus"}) == "locked"
    assert await world.reason("unlock", {"passphrase": "guess"}) == "wrong_passphrase"
    await world.result("unlock", {"passphrase": PASSPHRASE})
    await world.result("createKey", {"scheme": "lotus"})


@pytest.mark.parametrize(("route", "done"), [("/stop", 202), ("/reload", 200)])
async def test_stop_and_reload_go_only_through_the_unix_socket_of_the_named_daemon(
    make_world: MakeWorld, route: str, done: int
) -> None:
    asked: list[str] = []

    async def reload(mark: str) -> dict[str, Any] | None:
        asked.append(mark)
        return {"taken": []} if mark == "ours" else None

    world = await make_world(stop=lambda mark: asked.append(mark) or mark == "ours", reload=reload)
    assert await ask(world, "POST", route) == (403, await refusal(world, route))
    path = str(world.server._config.socket_path)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path)) as session:
        for body, headers, status in (
            (b'{"lock": "ours"}', {}, done),
            (b'{"lock": "another"}', {}, 409),
            (b'{"lock": 1}', {}, 400),
            (b"[]", {}, 400),
            (b"{", {}, 400),
            (b'{"lock": "ours"}', {"Content-Type": "text/plain"}, 415),
            (b'{"lock": "ours"}', world.bearer(), 403),
        ):
            sent = {"Content-Type": "application/json", **headers}
            async with session.post(f"http://anything{route}", data=body, headers=sent) as response:
                assert response.status == status, body
    assert asked == ["ours", "another"]


async def refusal(world: World, route: str) -> Any:
    """The refusal over TCP, even with every right."""
    return (await ask(world, "POST", route, **world.bearer()))[1]


async def test_unix_socket_gives_its_owner_every_right_and_still_honours_a_token(world: World) -> None:
    path = str(world.server._config.socket_path)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path)) as session:
        call = {"jsonrpc": "2.0", "id": 1, "method": "listTokens"}
        async with session.post("http://anything/rpc", json=call) as response:
            assert "result" in await response.json()
        token = world.tokens.make("reader", "read")
        async with session.post("http://anything/rpc", json=call, headers=world.bearer(token)) as response:
            assert (await response.json())["error"]["data"]["reason"] == "forbidden"
        async with session.post("http://anything/rpc", json=call, headers=world.bearer("wrong")) as response:
            assert response.status == 401
