"""Every byte that a node behind a proxy says to its peers, before it is encrypted: no address of its host is in it."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from p2p.announce import own_hosts
from p2p.compat.upgrade import WholeMessages
from tests.p2p.nodes import TestNode, eventually, identified
from tests.p2p.p2p_world import Signer, have
from tests.p2p.ways.tor_world import fake_tor, onion_service

TOPIC = "musigd/test/signers/spend"
pytestmark = pytest.mark.network


def addresses_of_this_host() -> set[str]:
    return {"127.0.0.1", "::1", *own_hosts()}


def named_in(said: bytes) -> set[str]:
    """The addresses of this host that are there as text, or as part of a multiaddr."""
    found = set()
    for host in addresses_of_this_host():
        ip = ip_address(host.partition("%")[0])
        code = b"\x04" if ip.version == 4 else b"\x29"
        if code + ip.packed in said or (host.encode() in said and host != "::1"):
            found.add(host)
    return found


async def say_everything(one: TestNode, other: TestNode) -> None:
    """What the daemon does with its network."""
    await one.meet(other)
    await identified(one, other)
    signer = Signer()
    record = signer.advertise(addrs=())
    await eventually(lambda: one.dht_put(signer.key.pubkey, record.envelope))
    await one.provide(b"spend")
    await eventually(lambda: other.find_providers(b"spend"))
    assert await other.dht_get(signer.key.pubkey) == record.envelope
    for node in (one, other):
        await node.follow(frozenset({TOPIC}))

    async def spread() -> bool:
        return await one.publish(TOPIC, record.envelope) > 0

    await eventually(spread)
    assert one.send(other.peer, [have(1)])
    assert await one.ask(other.peer, b"abc", 30_000) == b"cba"
    await other.sink.until(lambda: len(other.sink.frames) == 1)


async def test_no_address_of_the_host_is_said_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bytes] = []
    write = WholeMessages.write

    async def overheard(self: WholeMessages, data: bytes) -> None:
        said.append(bytes(data))
        await write(self, data)

    monkeypatch.setattr(WholeMessages, "write", overheard)
    hidden: dict[str, Any] = {"relay_client": "always", "private_addresses": True}
    async with (
        fake_tor() as tor,
        onion_service(tor, relay_service=True, **hidden) as relay,
        onion_service(tor, **hidden) as anna,
        onion_service(tor, **hidden) as bob,
    ):
        await bob.meet(relay)
        await eventually(lambda: _is_relayed(bob))
        await say_everything(anna, relay)
        await say_everything(anna, bob)
    everything = b"".join(said)
    assert len(everything) > 10_000
    assert everything.count(b"\xbd\x03") > 3, "the onion addresses themselves are said (code 445, onion3)"
    assert named_in(everything) == set()
    assert named_in(b"..\x04" + socket.inet_aton("127.0.0.1")) == {"127.0.0.1"}


async def _is_relayed(node: TestNode) -> bool:
    return any("/p2p-circuit" in text for text in node.multiaddrs())
