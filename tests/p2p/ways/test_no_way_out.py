"""A local network from which no route leads to the internet: the addresses of the interfaces are announced."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import ifaddr
import pytest

from p2p import announce
from p2p.addresses import Multiaddr
from p2p.announce import AnnouncedAddresses, own_hosts
from p2p.settings import NetworkConfig

FOUR = ("127.0.0.1", "192.168.77.1", "169.254.3.4")
SIX = ("::1", "fd00::77", "fe80::1")


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    ips = [SimpleNamespace(ip=host, is_IPv4=True) for host in FOUR]
    ips += [SimpleNamespace(ip=(host, 0, 0), is_IPv4=False) for host in SIX]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [SimpleNamespace(ips=ips)])


def test_a_host_without_a_way_out_has_the_addresses_of_its_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "_way_out", lambda family: None)
    assert own_hosts() == ("192.168.77.1", "169.254.3.4", "127.0.0.1", "fd00::77", "::1")


def test_they_are_announced_where_private_addresses_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "_way_out", lambda family: None)
    listening = [Multiaddr("/ip4/0.0.0.0/tcp/4327")]
    announced = AnnouncedAddresses(NetworkConfig(network="test", private_addresses=True))(listening)
    assert [str(addr).split("/")[2] for addr in announced] == ["192.168.77.1", "169.254.3.4", "127.0.0.1"]
    assert AnnouncedAddresses(NetworkConfig(network="test"))(listening) == []


def test_with_a_way_out_the_addresses_of_other_interfaces_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "_way_out", {socket.AF_INET: "203.0.113.7"}.get)
    assert own_hosts() == ("203.0.113.7", "127.0.0.1", "::1")
