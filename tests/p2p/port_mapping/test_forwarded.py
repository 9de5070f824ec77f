"""A node whose router forwards its port: others reach it there, and it announces no other address before they have."""

from __future__ import annotations

import secrets
import subprocess
import sys
from typing import Any

import pytest

from p2p.network import Reach
from p2p.port_mapping import mappings
from p2p.ports import MappingState, PortMapping
from tests.p2p.nodes import TestNode, eventually, network, networks
from tests.p2p.port_mapping.upnp.igd import IP2, LOOPBACK, Igd

pytestmark = pytest.mark.network


def settings(igd: Igd, name: str) -> dict[str, Any]:
    return {"network": name, "port_mapping": "upnp", "gateways": (igd.place,), "private_addresses": True}


async def mapped(node: TestNode) -> PortMapping:
    async def told() -> PortMapping | None:
        found = node.reachability.mapping
        return found if found is not None and found.state is MappingState.MAPPED else None

    found: PortMapping = await eventually(told)
    return found


async def test_what_the_router_forwards_is_dialled_back_and_then_announced() -> None:
    name = f"t-{secrets.token_hex(6)}"
    async with (
        Igd(service=IP2) as igd,
        network(network=name) as other,
        network(**settings(igd, name), dial_back=True) as node,
    ):
        found = await mapped(node)
        ((port, external),) = found.ports
        where = f"/ip4/{LOOPBACK}/tcp/{external}/p2p/{node.peer_text}"
        assert (found.gateway, found.external_host) == (LOOPBACK, LOOPBACK)
        assert igd.mappings[external][:2] == (LOOPBACK, port)
        assert where not in node.multiaddrs()
        await node.connect(other.address)

        async def announced() -> bool:
            return where in node.multiaddrs() and node.reachability.verdict is Reach.PUBLIC

        assert await eventually(announced)
        async with network(network=name) as third:
            await third.connect(where)
            assert third.connected(node.peer)
    assert igd.mappings == {}
    assert "DeletePortMapping" in igd.asked


async def test_the_port_for_websockets_is_mapped_and_dialled_back_too() -> None:
    name = f"t-{secrets.token_hex(6)}"
    listen = ("/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws")
    async with (
        Igd() as igd,
        networks(2, network=name) as others,
        network(**settings(igd, name), dial_back=True, listen=listen) as node,
    ):
        found = await mapped(node)
        externals = [external for _, external in found.ports]
        assert len(externals) == 2
        for other in others:
            await node.connect(other.address)

        async def announced() -> bool:
            told = node.multiaddrs()
            plain = [text for text in told if any(f"/tcp/{port}/p2p/" in text for port in externals)]
            return len(plain) == 1 and any(f"/tcp/{port}/ws/p2p/" in text for text in told for port in externals)

        assert await eventually(announced)


async def test_a_router_that_comes_later_and_one_that_restarts_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mappings, "AGAIN_S", 0.1)
    monkeypatch.setattr(mappings, "LOOK_S", 0.1)
    async with Igd() as igd:
        igd.raw["description"] = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
        async with network(**settings(igd, "test")) as node:

            async def failed() -> bool:
                found = node.reachability.mapping
                return found is not None and found.state is MappingState.FAILED and "503" in found.sentence

            assert await eventually(failed)
            igd.raw.clear()
            assert len((await mapped(node)).ports) == 1
            await igd.reboot()

            async def again() -> bool:
                return len(igd.mappings) == 1

            assert await eventually(again)
        assert igd.mappings == {}


async def test_without_the_setting_no_router_is_asked() -> None:
    async with Igd() as igd, network(gateways=(igd.place,)) as node:
        assert node.reachability.mapping is None
        assert (igd.searches, igd.asked) == ([], [])


def test_without_the_setting_nothing_of_it_is_loaded() -> None:
    unwanted = "('p2p.port_mapping', 'h11')"
    program = f"import sys, p2p.network; print([name for name in sys.modules if name.startswith({unwanted})])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
