"""The client: typed methods, errors, a daemon that moves, and events that come exactly once."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from musigd_client import CallFailed, Client, HeardEvent, NotAuthorised, Unreachable
from musigd_client.endpoint import DataDir
from musigd_client.models.keys import TaprootTweak
from musigd_client.models.requests import Election
from rpc.config import RpcConfig
from rpc.methods import samples
from rpc.server.server import RpcServer
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import COOKIE, MemoryAnswers, MemoryTokens, SettableHealth
from tests.rpc.rpc_world import MakeWorld, World


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with await Client.connect(url=world.base, token=COOKIE) as connected:
        yield connected


def write_datadir(path: Path, server: RpcServer, cookie: str = COOKIE) -> None:
    said = {"rpc": server.url, "ws": server.ws_url, "socket": str(path / "musigd.sock"), "pid": os.getpid()}
    (path / "endpoint.json").write_bytes(orjson.dumps(said))
    (path / ".cookie").write_text(cookie)


async def test_typed_methods_take_python_names_and_give_models(client: Client) -> None:
    key = await client.create_key(scheme="lotus", label="phone")
    assert key.label == "phone"
    assert key.seq is not None
    listed = await client.list_keys()
    assert key.public_key in [each.public_key for each in listed.keys]
    announced = await client.announce_signing_request(
        required_public_keys=[samples.KEY_B, key.public_key],
        message=samples.MESSAGE,
        public_key=key.public_key,
        tweaks=[{"taprootMerkleRoot": None}],
        election=Election(method="first-signer"),
    )
    assert announced.request.creator == key.public_key
    assert announced.request.messages[0].tweaks == (TaprootTweak(taproot_merkle_root=None),)


async def test_refusal_carries_reason_and_data(client: Client) -> None:
    with pytest.raises(CallFailed) as caught:
        await client.get_signing_request(request_id="00" * 32)
    assert caught.value.reason == "not_found"
    assert caught.value.code == -32010


async def test_calls_over_one_websocket_do_not_wait_for_each_other(client: Client) -> None:
    socket = await client.socket()
    slow = asyncio.ensure_future(socket.get_events(from_seq=1, wait_ms=60_000))
    assert (await socket.get_info()).network == "main"
    assert not slow.done()
    slow.cancel()
    await socket.close()


async def test_wrong_token_is_not_authorised_and_no_daemon_is_unreachable(world: World) -> None:
    with pytest.raises(NotAuthorised):
        await Client.connect(url=world.base, token="wrong")
    with pytest.raises(Unreachable):
        await Client.connect(url="http://127.0.0.1:9", token=COOKIE)


async def test_cookie_is_read_again_when_the_token_is_refused(world: World, tmp_path: Path) -> None:
    write_datadir(tmp_path, world.server)
    async with Client(DataDir(tmp_path)) as client:
        await client.get_info()
        world.tokens.revoke("owner")
        world.tokens.make("second-cookie", "admin")
        write_datadir(tmp_path, world.server, "second-cookie")
        assert (await client.get_info()).network == "main"


async def test_unix_socket_needs_no_token(make_world: MakeWorld, tmp_path: Path) -> None:
    world = await make_world(socket_path=tmp_path / "musigd.sock")
    write_datadir(tmp_path, world.server, "no good")
    assert (tmp_path / "musigd.sock").stat().st_mode & 0o777 == 0o600
    async with Client(DataDir(tmp_path, by_socket=True)) as client:
        assert (await client.get_info()).network == "main"
        socket = await client.socket()
        assert await socket.call("subscribe")
        await socket.close()


async def test_consumer_slower_than_the_stream_loses_nothing_when_the_connection_breaks(world: World) -> None:
    world.log.append(*["session:ready"] * 4_000)
    async with await Client.connect(url=world.base, token=COOKIE) as client:
        heard: list[int] = []
        async for event in client.events(from_seq=1):
            heard.append(event["seq"])
            if event["seq"] in {1, 1_500, 1_501}:
                await world.result("getInfo")  # meanwhile the queue fills
                for connection in list(world.server._sockets._open):
                    connection._transport.abort()
            if event["seq"] == 4_000:
                break
    assert heard == list(range(1, 4_001))


async def collect(events: AsyncIterator[HeardEvent], last: int) -> list[int]:
    heard: list[int] = []
    async for event in events:
        heard.append(event["seq"])
        if heard[-1] >= last:
            break
    return heard


async def test_every_seq_comes_exactly_once_though_connections_break_and_the_daemon_moves(tmp_path: Path) -> None:
    log, tokens, total = MemoryLog(), MemoryTokens(), 2_000
    luck = random.Random(7)

    async def serve() -> RpcServer:
        from tests.rpc.rpc_backend import memory_backend

        server = RpcServer(
            RpcConfig(port=0, close_grace_s=0.1),
            memory_backend(log, tokens),
            events=log,
            tokens=tokens,
            idempotency=MemoryAnswers(),
            health=SettableHealth(),
        )
        await server.start()
        write_datadir(tmp_path, server)
        return server

    server = await serve()
    async with Client(DataDir(tmp_path)) as client:
        events = client.events(from_seq=1)
        log.append("session:ready")
        assert (await anext(events))["seq"] == 1  # a first connection that breaks is told, and not bridged
        heard = asyncio.ensure_future(collect(events, total))
        while log.next_seq <= total:
            log.append(*["session:ready"] * min(luck.randint(1, 5), total + 1 - log.next_seq))
            await asyncio.sleep(0)
            if luck.random() < 0.05:
                for connection in list(server._sockets._open):
                    connection._transport.abort()
            if luck.random() < 0.005:
                await server.stop(0)
                server = await serve()
        async with asyncio.timeout(180):
            assert await heard == list(range(2, total + 1))
    await server.stop(0)
