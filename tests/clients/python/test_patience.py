"""A client that waits for a signature goes on waiting while the daemon restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from musigd_client import CallFailed, Client, NotAuthorised, Unreachable
from musigd_client.endpoint import DataDir
from musigd_client.patience import WAITING
from rpc.errors import ApiError, shutting_down
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models.sessions import GetFinalSignature
from tests.clients.python.test_client import write_datadir
from tests.rpc.rpc_world import MakeWorld, World


def test_the_calls_that_wait_are_those_of_the_table() -> None:
    assert {name for name, method in METHODS.items() if method.waits} == WAITING


def answer_final(world: World, answer: Callable[[int], Awaitable[Any]]) -> None:
    """From now on `answer(wait_ms)` is what getFinalSignature does."""

    async def read(caller: object, params: GetFinalSignature) -> Any:
        return await answer(params.wait_ms)

    world.server._dispatcher._calls["getFinalSignature"]._handler = read


async def final(client: Client, wait_ms: int = 60_000) -> str:
    return (await client.get_final_signature(request_id=samples.REQUEST, wait_ms=wait_ms)).signature


async def test_a_signature_is_waited_for_until_the_daemon_is_back_elsewhere_with_another_cookie(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    first = await make_world(socket_path=None)
    write_datadir(tmp_path, first.server)
    asked = asyncio.Event()

    async def stops(wait_ms: int) -> Any:
        asked.set()
        raise shutting_down()

    answer_final(first, stops)
    async with Client(DataDir(tmp_path)) as client:
        waiting = asyncio.ensure_future(final(client))
        await asked.wait()
        await first.server.stop(0)
        (tmp_path / "endpoint.json").unlink()
        second = await make_world(socket_path=None)
        second.tokens.revoke("owner")
        second.tokens.make("second-cookie", "admin")
        write_datadir(tmp_path, second.server, "the cookie comes a moment later")
        asyncio.get_running_loop().call_later(0.3, write_datadir, tmp_path, second.server, "second-cookie")
        assert await asyncio.wait_for(waiting, 60) == samples.SIGNATURE


async def test_patience_ends_with_wait_ms_and_says_what_is_wrong(world: World, tmp_path: Path) -> None:
    write_datadir(tmp_path, world.server)
    async with Client(DataDir(tmp_path)) as client:
        await client.get_info()
        (tmp_path / "endpoint.json").unlink()
        await world.server.stop(0)
        for wait_ms in (0, 300):
            with pytest.raises(Unreachable):
                await final(client, wait_ms)


@pytest.mark.parametrize("reason", ["not_ready", "declined", "not_found", "forbidden"])
async def test_every_other_answer_is_passed_on_at_once(world: World, reason: str) -> None:
    calls = []

    async def refuses(wait_ms: int) -> Any:
        calls.append(wait_ms)
        raise ApiError(reason, "No.")

    answer_final(world, refuses)
    async with await Client.connect(url=world.base, token="cookie-token") as client:
        with pytest.raises(CallFailed) as caught:
            await final(client)
    assert (caught.value.reason, len(calls)) == (reason, 1)


async def test_a_token_that_was_never_good_is_refused_at_once(world: World) -> None:
    async with Client(DataDir(Path("/nowhere"))) as client:
        with pytest.raises(Unreachable):
            await final(client, 0)
    async with await Client.connect(url=world.base, token="cookie-token") as client:
        world.tokens.revoke("owner")
        with pytest.raises(NotAuthorised):
            await final(client)
