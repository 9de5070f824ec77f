"""The token is in the header of a call, and nowhere that a log, a repr or an exception would show it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from musigd_client import Client, ClientError, SyncClient
from musigd_client.endpoint import Address, DataDir, Locator, SocketFile, read_token
from tests.serving import serving

TOKEN = "musigd_" + "7" * 40


def exceptions(problem: BaseException | None) -> Iterator[BaseException]:
    """One and all that it carries along, shown in a traceback or not."""
    if problem is not None:
        yield problem
        yield from exceptions(problem.__cause__)
        yield from exceptions(problem.__context__)


def shown(problem: BaseException) -> str:
    """Whatever a log or a crash report could make of it, the members of what it carries included."""
    return "".join(f"{one!r} {one} {one.args!r} {vars(one)!r}" for one in exceptions(problem))


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[str]:
    """The URL of a server that answers everything alike."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"})

    application = web.Application()
    application.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 500])
async def test_no_error_shows_the_token(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with answering(status, "no JSON") as url, Client(Address(url, token=TOKEN)) as client:
        problems = []
        for attempt in (client.get_info(), client.socket(), anext(client.events())):
            with pytest.raises(ClientError) as caught:
                await attempt
            problems.append(caught.value)
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(SyncClient.connect, url=url, token=TOKEN)
        problems.append(caught.value)
    assert TOKEN not in "".join(map(shown, problems))
    assert TOKEN not in caplog.text


async def test_no_error_shows_the_token_when_the_server_does_not_speak_json_rpc() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    problems = []
    async with serving(answer) as port, Client(Address(f"http://127.0.0.1:{port}", token=TOKEN)) as client:
        for attempt in (client.get_info(), client.socket()):
            with pytest.raises(ClientError) as caught:
                await attempt
            problems.append(caught.value)
        with pytest.raises(ClientError) as caught:
            await asyncio.to_thread(SyncClient.connect, url=f"http://127.0.0.1:{port}", token=TOKEN)
        problems.append(caught.value)
    assert TOKEN not in "".join(map(shown, problems))


def test_no_repr_shows_the_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "endpoint.json").write_text('{"rpc": "http://127.0.0.1:1/rpc", "ws": "ws://127.0.0.1:1/ws"}')
    places: list[Locator] = [
        Address("http://x", token=TOKEN),
        DataDir(tmp_path, token_file=tmp_path / "token"),
        DataDir(tmp_path, token=TOKEN),
        SocketFile(tmp_path),
    ]
    things = [*places, *(place.locate() for place in places), *map(Client, places), *map(SyncClient, places)]
    assert TOKEN not in repr(things)
    assert TOKEN not in "".join(repr(vars(thing)) for thing in things if hasattr(thing, "__dict__"))


@pytest.mark.parametrize("text", [f"{TOKEN}\n{TOKEN}", "\u00fc"])
def test_a_token_that_fits_no_header_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    for attempt in (lambda: read_token(tmp_path / "token"), lambda: Address("http://x", token=text).locate()):
        with pytest.raises(ClientError, match="there is no token") as caught:
            attempt()
        assert text not in shown(caught.value)
