"""Dialling by name and by WebSocket: names are looked up as by the machine, and who connects hears what is wrong."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from daemon.api.info import bootstrap_problems
from p2p.errors import PeerUnreachable
from tests.p2p.nodes import TestNode, eventually, identified, network
from tests.serving import serving

pytestmark = pytest.mark.network
PEER = "12D3KooWA4PHJGtFcDD6a1uGBJP2yzMhBBmxWBzYjC5a3cTtZsGQ"


async def test_who_connects_hears_that_the_reverse_proxy_refuses() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving(refuse) as port, network() as anna:
        with pytest.raises(PeerUnreachable, match=r"no WebSocket .* \(the upgrade was refused\): look at the reverse"):
            await anna.connect(f"/ip4/127.0.0.1/tcp/{port}/ws/p2p/{PEER}")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine knows `in.hosts`, and no other name."""
    real = socket.getaddrinfo

    def known(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host == "in.hosts":
            scoped = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1%eth0", port, 0, 2))
            return [scoped, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        if host == "not.there":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", known)


@pytest.mark.usefixtures("names")
async def test_a_name_is_looked_up_as_this_machine_does_it() -> None:
    async with network() as bob, network() as anna:
        port = bob.address.split("/")[4]
        with pytest.raises(PeerUnreachable, match=r"no address was found for not\.there: correct the name"):
            await anna.connect(f"/dns4/not.there/tcp/{port}/p2p/{bob.peer_text}")
        await anna.connect(f"/dns/in.hosts/tcp/{port}/p2p/{bob.peer_text}")
        await identified(anna, bob)
        assert anna.connected(bob.peer)


@pytest.mark.usefixtures("names")
async def test_a_bootstrap_address_with_an_unknown_name_is_a_problem_that_says_so() -> None:
    address = f"/dns4/not.there/tcp/4327/p2p/{PEER}"
    async with network(bootstrap=(address,)) as anna:
        await eventually(lambda: _has_faults(anna))
        ((reason, remedy),) = bootstrap_problems(anna.bootstrap_faults)
    assert reason == "bootstrap_unusable"
    assert remedy.startswith(f"p2p.bootstrap names {address}, which cannot be reached: no address was found for not.th")


async def _has_faults(node: TestNode) -> bool:
    return bool(node.bootstrap_faults)
