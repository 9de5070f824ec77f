"""Calls of both clients are made again while the daemon is away, and a change is carried out once."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from musigd_client import CallFailed, Client, SyncClient, Unreachable
from musigd_client.endpoint import Address, DataDir, Endpoint, Locator
from musigd_client.errors import Busy, CertificateRefused, ShuttingDown, Unauthenticated
from musigd_client.failures import NobodyThere
from musigd_client.methods.changing import IDEMPOTENT, ONCE
from musigd_client.patience import PAUSE_S, EventPace, Patience, RepeatedCall
from musigd_client.sync import http
from musigd_client.transport import Transport
from rpc.cli.main import Exit, main
from rpc.errors import ApiError, shutting_down
from rpc.methods.table import METHODS
from tests.clients.python.test_client import write_datadir
from tests.rpc.rpc_stores import COOKIE
from tests.rpc.rpc_world import MakeWorld, World

Ask: TypeAlias = Callable[..., Awaitable[Any]]
Face: TypeAlias = Callable[[Locator, float], AbstractAsyncContextManager[Ask]]
LONG_S = 60.0
STOPS = ShuttingDown(-32004, "", {"reason": "shutting_down", "retryAfterMs": 5_000})
REFUSED = Unauthenticated(-32001, "", {"reason": "unauthenticated"})


@asynccontextmanager
async def asynchronous(place: Locator, patience_s: float) -> AsyncIterator[Ask]:
    async with Client(place, patience_s=patience_s) as client:
        yield client.call


@asynccontextmanager
async def synchronous(place: Locator, patience_s: float) -> AsyncIterator[Ask]:
    client = SyncClient(place, patience_s=patience_s)

    async def call(method: str, **params: Any) -> Any:
        return await asyncio.to_thread(client.call, method, **params)

    yield call


each_face = pytest.mark.parametrize("face", [asynchronous, synchronous])


class Line:
    """Notes the params of each call that the server answered, and loses as many answers as a test says."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.to_lose = 0

    def passes(self, body: bytes) -> None:
        self.posted.append(json.loads(body)["params"])
        if self.to_lose > 0:
            self.to_lose -= 1
            raise Unreachable("the connection broke before the answer came")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made, whole, whole_sync = Line(), Transport.post, http._post

    async def post(transport: Transport, endpoint: Endpoint, body: bytes) -> Any:
        answer = await whole(transport, endpoint, body)
        made.passes(body)
        return answer

    def post_sync(endpoint: Endpoint, body: bytes) -> Any:
        answer = whole_sync(endpoint, body)
        made.passes(body)
        return answer

    monkeypatch.setattr(Transport, "post", post)
    monkeypatch.setattr(http, "_post", post_sync)
    return made


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long clients have paused between two attempts."""
    found: list[float] = []
    real = Patience.after

    def after(patience: Patience, problem: Unreachable | CallFailed, told_ms: int | None = None) -> float:
        found.append(real(patience, problem, told_ms))
        return found[-1]

    monkeypatch.setattr(Patience, "after", after)
    return found


def answer_with(world: World, method: str, first: Callable[[], Any]) -> None:
    """`first` is what the first call does instead of the handler's work."""
    call = world.server._dispatcher._calls[method]
    whole, numbers = call._handler, itertools.count()

    async def answer(*given: Any) -> Any:
        return first() if next(numbers) == 0 else await whole(*given)

    call._handler = answer


def place_of(world: World) -> Address:
    return Address(world.base, token=COOKIE)


def test_the_methods_that_change_something_are_those_of_the_table() -> None:
    changing = {name: method for name, method in METHODS.items() if method.changes and not method.websocket}
    assert {name for name, method in changing.items() if method.idempotent} == IDEMPOTENT
    assert changing.keys() - IDEMPOTENT == ONCE


@each_face
async def test_a_change_whose_answer_is_lost_is_carried_out_once(face: Face, world: World, line: Line) -> None:
    line.to_lose = 2
    async with face(place_of(world), LONG_S) as ask:
        made = await ask("createKey", scheme="lotus")
        listed = await ask("listKeys")
    keys = {each["idempotencyKey"] for each in line.posted[:3]}
    assert [len(key) for key in keys] == [32]
    assert line.posted[3:] == [{}]
    events = (await world.result("getEvents", {"fromSeq": 1}))["events"]
    assert made["publicKey"] in [each["publicKey"] for each in listed["keys"]]
    assert len(events) == 1  # the server tells of each key that it makes


@each_face
async def test_each_change_has_a_key_of_its_own_unless_the_caller_gave_one(
    face: Face, world: World, line: Line
) -> None:
    line.to_lose = 1
    async with face(place_of(world), LONG_S) as ask:
        await ask("createKey", scheme="lotus", idempotencyKey="mine")
        await ask("createKey", scheme="lotus")
        await ask("createKey", scheme="lotus")
    first, again, second, third = [each["idempotencyKey"] for each in line.posted]
    assert (first, again) == ("mine", "mine")
    assert len({first, second, third}) == 3


@each_face
async def test_a_call_with_a_secret_is_not_repeated_once_it_may_have_arrived(
    face: Face, world: World, line: Line
) -> None:
    line.to_lose = 1
    async with face(place_of(world), LONG_S) as ask:
        with pytest.raises(Unreachable):
            await ask("createToken", scopes=["read"])
    assert line.posted == [{"scopes": ["read"]}]


@each_face
async def test_a_call_with_a_secret_waits_for_a_daemon_that_is_away(
    face: Face, world: World, line: Line, tmp_path: Path
) -> None:
    class Returning:
        """Finds the daemon when it is looked for a third time."""

        def __init__(self) -> None:
            self._looks = itertools.count()

        def locate(self) -> Endpoint:
            return (place_of(world) if next(self._looks) == 2 else DataDir(tmp_path)).locate()

    async with face(Returning(), LONG_S) as ask:
        assert (await ask("createToken", scopes=["read"]))["token"]
    assert len(line.posted) == 1


@each_face
async def test_a_change_in_flight_goes_on_when_the_daemon_is_back_elsewhere_with_another_cookie(
    face: Face, make_world: MakeWorld, tmp_path: Path
) -> None:
    first = await make_world(socket_path=None)
    write_datadir(tmp_path, first.server)
    asked = asyncio.Event()

    def stops() -> Any:
        asked.set()
        raise shutting_down()

    answer_with(first, "createKey", stops)
    async with face(DataDir(tmp_path), LONG_S) as ask:
        making = asyncio.ensure_future(ask("createKey", scheme="lotus"))
        await asked.wait()
        (tmp_path / "endpoint.json").unlink()
        await first.server.stop(0)
        second = await make_world(socket_path=None)
        second.tokens.revoke("owner")
        second.tokens.make("second-cookie", "admin")
        write_datadir(tmp_path, second.server, "the cookie comes a moment later")
        asyncio.get_running_loop().call_later(0.3, write_datadir, tmp_path, second.server, "second-cookie")
        made = await asyncio.wait_for(making, LONG_S)
    listed = await second.result("listKeys", token="second-cookie")
    assert made["publicKey"] in [each["publicKey"] for each in listed["keys"]]


@each_face
async def test_an_answer_that_asks_to_wait_is_waited_for(face: Face, world: World, pauses: list[float]) -> None:
    def busy() -> Any:
        raise ApiError("busy", "Later.", retryAfterMs=7)

    answer_with(world, "createKey", busy)
    async with face(place_of(world), LONG_S) as ask:
        assert (await ask("createKey", scheme="lotus"))["scheme"] == "lotus"
    assert pauses == [0.007]


@each_face
async def test_a_certificate_that_is_not_accepted_is_told_at_once(
    face: Face, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(transport: Transport, endpoint: Endpoint, body: bytes) -> Any:
        raise CertificateRefused(endpoint.distrust("self-signed certificate"))

    def refused_sync(endpoint: Endpoint, body: bytes) -> Any:
        raise CertificateRefused(endpoint.distrust("self-signed certificate"))

    monkeypatch.setattr(Transport, "post", refused)
    monkeypatch.setattr(http, "_post", refused_sync)
    async with face(Address("https://localhost:1/rpc", token=COOKIE), LONG_S) as ask:
        with pytest.raises(CertificateRefused):
            await ask("createKey", scheme="lotus")
    assert pauses == []


@each_face
async def test_patience_ends_and_says_what_is_wrong(face: Face, tmp_path: Path, pauses: list[float]) -> None:
    async with face(DataDir(tmp_path), 2 * PAUSE_S) as ask:
        with pytest.raises(Unreachable, match="no daemon runs"):
            await ask("createKey", scheme="lotus")
    assert sum(pauses) <= 2 * PAUSE_S


@each_face
async def test_without_patience_a_call_is_made_once_and_gets_no_key(face: Face, world: World, line: Line) -> None:
    line.to_lose = 1
    async with face(place_of(world), 0) as ask:
        with pytest.raises(Unreachable):
            await ask("createKey", scheme="lotus")
    assert line.posted == [{"scheme": "lotus"}]


async def test_connect_and_events_do_not_wait_for_a_daemon_that_is_away(tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(Unreachable):
        await Client.connect(datadir=tmp_path)
    with pytest.raises(Unreachable):
        await asyncio.to_thread(SyncClient.connect, datadir=tmp_path)
    async with Client(DataDir(tmp_path)) as client:
        with pytest.raises(Unreachable):
            await anext(client.events())
    for from_seq in (None, 1):
        with pytest.raises(Unreachable):
            await asyncio.to_thread(next, SyncClient(DataDir(tmp_path)).events(from_seq=from_seq))
    assert pauses == []


async def test_a_client_that_has_connected_is_patient(world: World, line: Line) -> None:
    client = await Client.connect(url=world.base, token=COOKIE)
    script = await asyncio.to_thread(SyncClient.connect, url=world.base, token=COOKIE)
    line.to_lose = 1
    async with client:
        assert (await client.get_info()).network == "main"
    line.to_lose = 1
    assert (await asyncio.to_thread(script.get_info)).network == "main"
    impatient = await asyncio.to_thread(SyncClient.connect, url=world.base, token=COOKIE, patience_s=0)
    line.to_lose = 1
    with pytest.raises(Unreachable):
        await asyncio.to_thread(impatient.get_info)


@pytest.mark.parametrize("words", [["getInfo"], ["createKey", "scheme=lotus"], ["events"]])
def test_musig_cli_says_at_once_that_no_daemon_runs(words: list[str], tmp_path: Path, pauses: list[float]) -> None:
    assert main([*words, "--datadir", str(tmp_path)]) == Exit.UNREACHABLE
    assert pauses == []


async def test_a_call_that_waits_for_a_daemon_ends_when_its_client_is_closed(world: World) -> None:
    asked = asyncio.Event()

    def stops() -> Any:
        asked.set()
        raise shutting_down()

    answer_with(world, "createKey", stops)
    client = Client(place_of(world), patience_s=LONG_S)
    making = asyncio.ensure_future(client.create_key(scheme="lotus"))
    await asked.wait()
    await client.close()
    with pytest.raises(Unreachable):
        await making
    assert client._transport is None


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_refused_token_is_tried_again_only_after_the_daemon_was_away() -> None:
    attempts = RepeatedCall(Clock(), "listKeys", {}, 10)
    with pytest.raises(Unauthenticated):
        attempts.after(REFUSED)
    assert attempts.after(STOPS) == PAUSE_S
    assert attempts.after(REFUSED) == PAUSE_S


def test_a_follower_of_events_bridges_all_but_a_refusal_and_a_late_cookie_once() -> None:
    pace = EventPace()
    assert [pace.after(each) for each in (NobodyThere(""), STOPS, NobodyThere(""), REFUSED)] == [2.0, 5.0, 2.0, 2.0]
    with pytest.raises(Unauthenticated):
        pace.after(REFUSED)
    with pytest.raises(CertificateRefused):
        pace.after(CertificateRefused(""))


def test_no_longer_wait_is_begun_than_the_patience_lasts() -> None:
    clock = Clock()
    attempts = RepeatedCall(clock, "listKeys", {}, 10)
    assert attempts.after(Busy(-32004, "", {"retryAfterMs": 9_000})) == 9
    clock.now = 9.9
    with pytest.raises(Busy):
        attempts.after(Busy(-32004, "", {"retryAfterMs": 200}))
    assert attempts.after(NobodyThere("")) == pytest.approx(0.1)
    clock.now = 10
    with pytest.raises(NobodyThere):
        attempts.after(NobodyThere(""))


def test_a_call_that_waits_goes_on_for_as_long_as_it_says_whatever_the_patience() -> None:
    clock = Clock()
    attempts = RepeatedCall(clock, "getEvents", {"fromSeq": 1, "waitMs": 60_000}, 0)
    assert attempts.params() == {"fromSeq": 1, "waitMs": 60_000}
    clock.now = 50
    assert attempts.after(STOPS) == PAUSE_S
    assert attempts.params() == {"fromSeq": 1, "waitMs": 10_000}
    with pytest.raises(Busy):
        attempts.after(Busy(-32004, "", {"retryAfterMs": 1}))
