"""The synchronous client: the same methods, errors and events, without an event loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from musigd_client import Client, SyncClient
from musigd_client.endpoint import Address, DataDir
from musigd_client.errors import Busy, Forbidden, NotFound, Unauthenticated, Unreachable
from rpc.methods import samples
from tests.clients.python.test_client import write_datadir
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld, World


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    def methods(kind: type[Client | SyncClient]) -> dict[str, list[str]]:
        named = {name: call for name, call in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
        return {name: list(inspect.signature(call).parameters) for name, call in named.items()}

    asynchronous, synchronous = methods(Client), methods(SyncClient)
    assert asynchronous.keys() - synchronous.keys() == {"close", "socket", "subscribe", "unsubscribe"}
    assert {name: asynchronous[name] for name in synchronous} == synchronous


async def test_calls_and_refusals_are_those_of_the_asynchronous_client(world: World) -> None:
    client = await asyncio.to_thread(SyncClient.connect, url=world.base, token=COOKIE)
    key = await asyncio.to_thread(client.create_key, scheme="lotus")
    assert key.public_key in [each.public_key for each in (await asyncio.to_thread(client.list_keys)).keys]
    with pytest.raises(NotFound):
        await asyncio.to_thread(client.get_signing_request, request_id="00" * 32)
    with pytest.raises(Unauthenticated):
        await asyncio.to_thread(SyncClient.connect, url=world.base, token="wrong")
    with pytest.raises(Unreachable):
        await asyncio.to_thread(SyncClient.connect, url="http://127.0.0.1:9", token=COOKIE)


async def test_a_unix_socket_is_enough_to_connect(make_world: MakeWorld, tmp_path: Path) -> None:
    await make_world(socket_path=tmp_path / "musigd.sock")
    assert (await asyncio.to_thread(SyncClient.connect, socket=tmp_path / "musigd.sock")).list_keys is not None
    async with await Client.connect(socket=tmp_path / "musigd.sock") as client:
        assert (await client.get_info()).network == "main"


async def test_every_seq_comes_once_though_the_daemon_moves_between_two_pages(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    first = await make_world(socket_path=None)
    first.log.append(*["session:ready"] * 3)
    write_datadir(tmp_path, first.server)
    events = SyncClient(DataDir(tmp_path)).events(from_seq=1)
    heard = [event["seq"] for event in await asyncio.to_thread(list, islice(events, 3))]
    waiting = asyncio.ensure_future(asyncio.to_thread(next, events))
    await first.log.listened_to_by(2)
    await first.server.stop(0)
    second = await make_world(socket_path=None)
    second.log.append(*["session:ready"] * 4)
    write_datadir(tmp_path, second.server)
    assert [*heard, (await waiting)["seq"]] == [1, 2, 3, 4]


async def test_events_that_are_no_longer_kept_are_reported_as_a_gap(world: World) -> None:
    world.log.append(*["session:ready"] * 9)
    world.log.forget(5)
    events = SyncClient(Address(world.base, token=COOKIE)).events(from_seq=2)
    gap, first = await asyncio.to_thread(list, islice(events, 2))
    assert (gap["event"], gap["data"], "seq" in gap) == ("events:gap", {"from": 2, "to": 5}, False)
    assert first["seq"] == 6


async def test_a_daemon_that_asks_to_wait_is_asked_again_for_events_and_a_refusal_ends_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.log.append("session:ready")
    client = SyncClient(Address(world.base, token=COOKIE))
    events = client.events(from_seq=1)
    assert (await asyncio.to_thread(next, events))["seq"] == 1
    whole, refusals = client.call, [Forbidden(-32002, "", {}), Busy(-32010, "", {"retryAfterMs": 1})]

    def call(method: str, **params: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return whole(method, **params)

    monkeypatch.setattr(client, "call", call)
    world.log.append("session:ready")
    with pytest.raises(Forbidden):
        await asyncio.to_thread(next, events)
    assert refusals == []


async def test_a_signature_is_waited_for_and_a_request_followed_to_its_end(world: World) -> None:
    client = SyncClient(Address(world.base, token=COOKIE))
    final = await asyncio.to_thread(client.wait_for_signature, request_id=samples.REQUEST, timeout_s=60)
    assert final.signature == samples.SIGNATURE
