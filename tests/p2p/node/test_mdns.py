"""mDNS: when neighbours are looked for, what is announced, which answers are believed."""

from __future__ import annotations

from typing import Any

import pytest
from zeroconf import ServiceInfo

from musig2.protocol.records.peers import peer_of
from p2p.addresses import Multiaddr, from_text, join_peer
from p2p.node.mdns import NETWORK_KEY, SERVICE, Neighbours
from tests.p2p.nodes import config_for_tests

PEER = peer_of(bytes(32))
ADDRESS = join_peer(from_text("/ip4/10.0.0.7/tcp/4327"), PEER)


class Host:
    """As much of the host as is asked."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    def get_addrs(self) -> list[Any]:
        return [Multiaddr(text) for text in self._addresses]


def neighbours(*addresses: str, **settings: Any) -> Neighbours:
    config = config_for_tests(**{"mdns": True, "listen": ("/ip4/0.0.0.0/tcp/4327",), **settings})
    return Neighbours(Host(*addresses), config, None)  # type: ignore[arg-type] # stand-ins with what is used


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, True),
        ({"mdns": False}, False),
        ({"bootstrap": (ADDRESS,)}, False),
        ({"listen": ("/ip4/127.0.0.1/tcp/4327",)}, False),
    ],
    ids=["by default", "switched off", "with a bootstrap address", "on loopback only"],
)
def test_neighbours_are_looked_for(settings: dict[str, Any], wanted: bool) -> None:
    assert neighbours(**settings).wanted is wanted


def test_an_announcement_is_read_by_nodes_of_the_same_network() -> None:
    info = neighbours(ADDRESS).announcement()
    assert neighbours().read(info) == [(from_text("/ip4/10.0.0.7/tcp/4327"), PEER)]
    assert neighbours(network="another").read(info) == []


def test_a_node_of_ipv6_alone_is_announced_too() -> None:
    address = join_peer(from_text("/ip6/fd00::7/tcp/4327"), PEER)
    info = neighbours(address).announcement()
    assert info is not None
    assert info.parsed_addresses() == ["fd00::7"]
    assert neighbours().read(info) == [(from_text("/ip6/fd00::7/tcp/4327"), PEER)]


def test_a_node_without_an_address_that_may_be_told_announces_nothing() -> None:
    assert neighbours().announcement() is None


def test_rubbish_from_the_local_network_is_ignored() -> None:
    properties: dict[str | bytes, Any] = {b"dnsaddr": b"\xff/rubbish", b"dnsaddr1": b"/p2p/x", NETWORK_KEY: b"test"}
    assert neighbours().read(ServiceInfo(SERVICE, f"x.{SERVICE}", properties=properties)) == []
    assert neighbours().read(None) == []
