"""`/dnsaddr` to start from: what a name stands for, followed within bounds, and looked up again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from musig2.protocol.records.peers import peer_of, peer_text
from p2p.addresses import dnsaddr_name, from_text
from p2p.errors import AddressError, NetworkError
from p2p.network import Network
from p2p.node import bootstrap
from p2p.ways import dnsaddr
from p2p.ways.dnsaddr import MOST_ASKED, NoSuchName, look_up
from tests.p2p.nodes import RecordingSink, TestNode, config_for_tests, eventually, network

PEER = peer_of(bytes(range(32)))
OURS = f"/ip4/8.8.8.8/tcp/4327/p2p/{peer_text(PEER)}"
PRIVATE = f"/ip4/10.0.0.1/tcp/4327/p2p/{peer_text(PEER)}"


class Zone:
    """Answers in place of the DNS, and counts what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **records: list[str]) -> None:
        self.records = {name.replace("_", "."): texts for name, texts in records.items()}
        self.asked: Counter[str] = Counter()
        monkeypatch.setattr(dnsaddr, "_records", self.answer)

    async def answer(self, name: str) -> list[str]:
        self.asked[name] += 1
        if name not in self.records:
            raise NoSuchName("NXDOMAIN")
        return self.records[name]


def found(name: str, *, private: bool = False) -> list[tuple[bytes, bytes]]:
    async def ask() -> list[tuple[bytes, bytes]]:
        return await look_up(name, private_addresses=private)

    return trio.run(ask)


def test_a_name_stands_for_the_addresses_of_our_kind_that_its_records_name(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        "/ip4/8.8.8.8/udp/1/quic-v1",
        "/ip4/8.8.8.8/tcp/1/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
        "x",
    ]
    Zone(monkeypatch, a_org=["/dnsaddr/b.org", *others], b_org=[OURS, PRIVATE])
    assert found("a.org") == [(from_text(OURS), PEER)]
    assert found("a.org", private=True) == [(from_text(OURS), PEER), (from_text(PRIVATE), PEER)]


def test_names_that_name_each_other_are_asked_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"/dnsaddr/n{number}.org" for number in range(100)]
    zone = Zone(monkeypatch, a_org=["/dnsaddr/a.org", *many], **{f"n{n}_org": many for n in range(100)})
    with pytest.raises(NoSuchName):
        found("a.org")
    assert sum(zone.asked.values()) == MOST_ASKED
    assert max(zone.asked.values()) == 1


def test_a_name_without_records_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    Zone(monkeypatch, empty_org=[])
    with pytest.raises(NoSuchName, match="no record"):
        found("empty.org")
    with pytest.raises(NoSuchName, match="NXDOMAIN"):
        found("nowhere.org")


def test_only_names_are_looked_up() -> None:
    assert dnsaddr_name("/dnsaddr/example.org") == ("example.org", None)
    assert dnsaddr_name(f"/dnsaddr/example.org/p2p/{peer_text(PEER)}") == ("example.org", PEER)
    assert dnsaddr_name(OURS) is None
    for text in ("/dnsaddr/", "/dnsaddr/a b.org", "/dnsaddr/example.org/tcp/1", "/dnsaddr/example.org/p2p/12D3KooW"):
        with pytest.raises(AddressError):
            dnsaddr_name(text)


def test_a_name_that_cannot_be_one_stops_the_start() -> None:
    settings = config_for_tests(bootstrap=("/dnsaddr/not a name",))
    with pytest.raises(NetworkError, match=r"p2p\.bootstrap"):
        Network(settings, bytes(31) + b"\x01", RecordingSink(), lambda: 0, limits=None)  # type: ignore[arg-type] # not reached


def _faulty(node: TestNode) -> Callable[[], Awaitable[bool]]:
    async def faulty() -> bool:
        return bool(node.bootstrap_faults)

    return faulty


@pytest.mark.network
async def test_a_name_is_looked_up_again_until_one_of_its_peers_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "LOOK_UP_S", 0.0)
    zone = Zone(monkeypatch)
    settings: dict[str, Any] = {"network": "t-dnsaddr", "bootstrap_pause_ms": 20}
    async with (
        network(**settings) as hub,
        network(**settings, bootstrap=("/dnsaddr/start.example.org",)) as node,
    ):
        assert await eventually(_faulty(node))
        assert node.bootstrap_faults[0].unknown_name == "NXDOMAIN"
        zone.records["start.example.org"] = [hub.address]
        await node.sink.until(lambda: node.connected(hub.peer))
        assert zone.asked["start.example.org"] > 1
