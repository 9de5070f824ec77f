"""A SOCKS5 proxy on loopback that plays Tor, and nodes behind it that are onion services."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from p2p.settings import Proxy
from tests.p2p.nodes import TestNode, network

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
NAME, UNREACHABLE = 3, 4


@dataclass(frozen=True)
class Asked:
    """What somebody wanted: `kind` as in RFC 1928 (1 IPv4, 3 a name, 4 IPv6)."""

    kind: int
    host: str
    port: int
    login: bytes = b""


class FakeTor:
    """Connects to what `places` has under a host and port, and to addresses of the network it is in as they are."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        self.places: dict[tuple[str, int], tuple[str, int]] = {}
        self._host = host
        self.greet: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
        self.port = 0
        self.refusal = UNREACHABLE  # of what it does not know
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def proxy(self) -> Proxy:
        return Proxy(self._host, self.port)

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.greet is not None:
                await self.greet(reader, writer)
                return
            await self._connect(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two ends is gone
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        login = b""
        writer.write(bytes([5, 2 if 2 in methods else 0]))
        if 2 in methods:
            user = await reader.readexactly((await reader.readexactly(2))[1])
            login = user + b":" + await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(b"\x01\x00")
        *_, kind = await reader.readexactly(4)
        raw = await reader.readexactly((await reader.readexactly(1))[0] if kind == NAME else 4 if kind == 1 else 16)
        host = raw.decode() if kind == NAME else str(ip_address(raw))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(Asked(kind, host, port, login))
        near = kind != NAME and ip_address(host).is_private
        place = (host, port) if near else self.places.get((host, port))
        if place is None:
            writer.write(bytes([5, self.refusal, 0, 1, 0, 0, 0, 0, 0, 0]))
            return
        target = await asyncio.open_connection(*place)
        writer.write(bytes([5, 0, 0, NAME, 4]) + b"here" + bytes(2))
        await asyncio.gather(_carry(reader, target[1]), _carry(target[0], writer))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # reset by one end: the other hears the end of the stream
    writer.close()


@contextlib.asynccontextmanager
async def fake_tor() -> AsyncIterator[FakeTor]:
    tor = FakeTor()
    await tor.start()
    try:
        yield tor
    finally:
        await tor.stop()


def an_onion() -> str:
    """An address of the right size; nobody checks its key here."""
    return base64.b32encode(secrets.token_bytes(35)).decode().lower()


@contextlib.asynccontextmanager
async def onion_service(tor: FakeTor, **settings: Any) -> AsyncIterator[TestNode]:
    """A node that dials through the proxy only and is reached under its onion address."""
    onion = an_onion()
    async with network(**{"proxy": tor.proxy, "announce": (f"/onion3/{onion}:4327",), **settings}) as node:
        (bound,) = node._mirror.bound
        tor.places[f"{onion}.onion", 4327] = ("127.0.0.1", int(bound.split("/")[4]))
        yield node
