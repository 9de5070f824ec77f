"""Over a connection without a valid token few answers go out per second; one with a token never waits for that."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import aiohttp
import pytest

from rpc.config import RpcConfig
from rpc.server import connection
from rpc.server.connection import UNKNOWN_AT_ONCE, UNKNOWN_PER_SECOND, Connection
from rpc.server.listen import Listener
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import World

CALL = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_an_answer_without_a_token_waits_where_many_are_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def count(connection: Connection) -> float:
        nonlocal asked
        asked += 1
        return 0.0

    monkeypatch.setattr(Connection, "answered_again_s", count)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    for number, line in enumerate((b"GET /livez", b"GET /nowhere", b"POST /rpc"), 1):
        writer.write(line + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        await answer_of(reader)
        assert asked == number
    for _ in range(3):
        writer.write(CALL + f"Authorization: Bearer {COOKIE}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert b"200" in await answer_of(reader)
    assert asked == 3
    writer.close()


async def test_the_owner_never_waits_for_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "answered_again_s", lambda connection: pytest.fail("the owner has to wait"))
    path = str(world.server._config.socket_path)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path)) as session:
        for _ in range(3):
            async with session.get("http://anything/livez") as response:
                assert response.status == 200


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    """The status line of an answer, which is read to its end."""
    lines = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    (length,) = [line for line in lines.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    await reader.readexactly(int(length.partition(b":")[2]))
    return lines.partition(b"\r\n")[0]


async def test_of_many_answers_over_a_connection_so_many_go_out_per_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(connection, "time", SimpleNamespace(monotonic=lambda: now))
    made = Connection(Listener(None, RpcConfig(), 10), loop=asyncio.get_running_loop())
    waits = [made.answered_again_s() for _ in range(UNKNOWN_AT_ONCE + 2)]
    assert waits == pytest.approx([0.0] * UNKNOWN_AT_ONCE + [1 / UNKNOWN_PER_SECOND, 2 / UNKNOWN_PER_SECOND])
    now += 60
    assert made.answered_again_s() == 0.0
