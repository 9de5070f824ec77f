"""Multiaddrs: there and back, what is private, what is announced."""

from __future__ import annotations

import pytest
import trio
from libp2p.transport.exceptions import OpenConnectionError

from config.text.plain_text import first_unfit
from musig2.protocol.records.peers import peer_of, peer_text
from p2p.addresses import (
    Multiaddr,
    dial_target,
    dialable,
    from_text,
    is_loopback,
    is_private,
    is_relayed,
    join_peer,
    readable,
    relay_of,
    split_peer,
    through,
    to_text,
    without_peer,
)
from p2p.announce import AnnouncedAddresses, check_addresses, listen_addresses
from p2p.compat.tcp import TcpTransport
from p2p.errors import AddressError, NetworkError
from p2p.places import Place, Way, place_of
from p2p.settings import NetworkConfig

PEER = peer_of(bytes(range(32)))


@pytest.mark.parametrize("text", ["/ip4/1.2.3.4/tcp/4327", "/ip6/2001:db8::1/tcp/1", "/dns4/example.org/tcp/4327"])
def test_text_and_bytes_are_the_same_address(text: str) -> None:
    assert to_text(from_text(text)) == text
    assert from_text(f"{text}/p2p/{peer_text(PEER)}") == from_text(text)
    assert split_peer(join_peer(from_text(text), PEER)) == (from_text(text), PEER)
    assert str(without_peer(Multiaddr(join_peer(from_text(text), PEER)))) == text


@pytest.mark.parametrize("code", [0x2A, 0x36], ids=["ip6zone", "dns4"])
@pytest.mark.parametrize("name", ["a\x1b[2J", "ab\u202ecd", "a\x9bb"])
def test_name_in_an_address_never_steers_a_terminal(code: int, name: str) -> None:
    value = name.encode()
    try:
        text = to_text(bytes([code, len(value)]) + value)
    except AddressError as error:
        text = str(error)
    assert first_unfit(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "x", "/ip4/1.2.3.4", "/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/1/p2p/", "/ip4/1.2.3.4/tcp/1/p2p/abc", "/p2p/x"],
)
def test_a_malformed_address_with_a_peer_is_refused(text: str) -> None:
    with pytest.raises(AddressError) as refused:
        split_peer(text)
    assert refused.value.reason == "bad_address"


@pytest.mark.parametrize("data", [b"", b"\xff" * 10, b"\x04\x01", bytes(1_000)])
def test_a_malformed_binary_address_is_refused(data: bytes) -> None:
    with pytest.raises(AddressError):
        to_text(data)
    assert readable([data, from_text("/ip4/1.2.3.4/tcp/1")]) == [Multiaddr("/ip4/1.2.3.4/tcp/1")]


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("/ip4/8.8.8.8/tcp/1", False),
        ("/ip4/127.0.0.1/tcp/1", True),
        ("/ip4/10.1.2.3/tcp/1", True),
        ("/ip4/192.168.1.1/tcp/1", True),
        ("/ip4/172.16.0.1/tcp/1", True),
        ("/ip4/169.254.1.1/tcp/1", True),
        ("/ip4/100.64.0.1/tcp/1", True),
        ("/ip4/0.0.0.0/tcp/1", True),
        ("/ip4/224.0.0.1/tcp/1", True),
        ("/ip4/192.0.2.1/tcp/1", True),
        ("/ip6/::1/tcp/1", True),
        ("/ip6/fe80::1/tcp/1", True),
        ("/ip6/fd00::1/tcp/1", True),
        ("/ip6/::ffff:10.0.0.1/tcp/1", True),
        ("/ip6/2a00:1450::1/tcp/1", False),
        ("/dns4/example.org/tcp/1", False),
        ("/dns4/localhost/tcp/1", True),
        ("/dns/printer.local/tcp/1", True),
    ],
)
def test_addresses_that_no_stranger_can_reach_are_private(text: str, private: bool) -> None:
    assert is_private(from_text(text)) is private
    assert dialable(Multiaddr(text), private_addresses=False) is not private
    assert dialable(Multiaddr(text), private_addresses=True)


def test_only_tcp_and_websockets_over_it_are_dialled() -> None:
    for text in ("/ip4/8.8.8.8/udp/1/quic-v1", "/ip4/8.8.8.8/tcp/1/tls", "/ip4/8.8.8.8/udp/1"):
        assert not dialable(Multiaddr(text), private_addresses=True)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("/ip4/8.8.8.8/tcp/1", Place("ip4", "8.8.8.8", 1, Way.TCP, "8.8.8.8")),
        ("/ip6/2600::1/tcp/2/ws", Place("ip6", "2600::1", 2, Way.WS, "2600::1")),
        ("/dns4/example.org/tcp/443/wss", Place("dns4", "example.org", 443, Way.WSS, "example.org")),
        ("/dns/example.org/tcp/443/tls/ws", Place("dns", "example.org", 443, Way.WSS, "example.org")),
        ("/ip4/8.8.8.8/tcp/1/tls/sni/example.org/ws", Place("ip4", "8.8.8.8", 1, Way.WSS, "example.org")),
    ],
)
def test_an_address_names_host_port_and_what_is_spoken_there(text: str, place: Place) -> None:
    assert place_of(Multiaddr(text)) == place
    relayed = Multiaddr(f"{text}/p2p/{peer_text(PEER)}/p2p-circuit")
    assert place_of(relayed) == place
    assert without_peer(Multiaddr(f"{text}/p2p/{peer_text(PEER)}")) == Multiaddr(text)
    assert dialable(relayed, private_addresses=False)


@pytest.mark.parametrize(
    "text",
    [
        "/ip6/2600::1/ip4/127.0.0.1/tcp/22",
        "/ip4/8.8.8.8/ip6/::1/tcp/22",
        "/ip4/8.8.8.8/tcp/1/ip4/127.0.0.1/tcp/22",
        "/dns4/example.org/ip4/127.0.0.1/tcp/22",
        "/ip4/8.8.8.8/tcp/22/tls",
        "/ip4/8.8.8.8/udp/1/tcp/2",
        "/ip4/8.8.8.8/tcp/0",
        "/tcp/22",
    ],
)
def test_an_address_that_names_a_second_host_or_no_port_is_not_dialled(text: str) -> None:
    for private in (True, False):
        assert not dialable(Multiaddr(text), private_addresses=private)


@pytest.mark.parametrize(
    "text",
    [
        "/ip6/64:ff9b::7f00:1/tcp/22",
        "/ip6/64:ff9b:1::7f00:1/tcp/22",
        "/ip6/2002:7f00:1::/tcp/22",
        "/ip6/::127.0.0.1/tcp/22",
        "/ip6/::ffff:127.0.0.1/tcp/22",
        "/ip6/fec0::1/tcp/22",
        "/dns/localhost./tcp/22",
        "/dns/LOCALHOST/tcp/22",
        "/dns/printer.LAN./tcp/22",
    ],
)
def test_a_disguised_private_host_is_not_dialled(text: str) -> None:
    assert is_private(from_text(text))
    assert not dialable(Multiaddr(text), private_addresses=False)


def test_a_name_that_turns_out_to_mean_a_private_host_is_not_dialled() -> None:
    transport = TcpTransport(lambda addr: dialable(addr, private_addresses=False))
    with pytest.raises(OpenConnectionError, match="may be dialled"):
        trio.run(transport._dial_resolved, Multiaddr("/ip4/127.0.0.1/tcp/1"))


def test_an_address_through_a_relay_names_the_relay_and_is_as_private_as_that_is() -> None:
    relay, peer = peer_of(bytes(32)), peer_text(PEER)
    for host, private in (("8.8.8.8", False), ("10.0.0.1", True)):
        addr = through(Multiaddr(f"/ip4/{host}/tcp/1"), relay)
        assert is_relayed(addr)
        assert relay_of(addr) == (Multiaddr(f"/ip4/{host}/tcp/1"), relay)
        assert dialable(addr, private_addresses=False) is not private
        assert without_peer(addr) == without_peer(Multiaddr(f"{addr}/p2p/{peer}")) == addr
        assert split_peer(f"{addr}/p2p/{peer}") == (addr.to_bytes(), PEER)
    assert relay_of(Multiaddr("/ip4/8.8.8.8/tcp/1")) is None


def test_an_address_through_a_relay_is_not_announced_by_hand() -> None:
    text = str(through(Multiaddr("/ip4/8.8.8.8/tcp/1"), PEER))
    with pytest.raises(NetworkError, match="by themselves"):
        check_addresses(NetworkConfig(announce=(text,)))


def test_a_plain_address_is_dialled_with_and_without_its_peer() -> None:
    for text in ("/ip4/8.8.8.8/tcp/1", "/ip6/2600::1/tcp/65535", "/dns/example.org/tcp/4327"):
        assert dialable(Multiaddr(text), private_addresses=False)
        assert dialable(Multiaddr(f"{text}/p2p/{peer_text(PEER)}"), private_addresses=False)


@pytest.mark.parametrize(
    "peer",
    ["QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", "16Uiu2HAkuRgsVVjk3drXpeXXvuQrZai9RNup3ToH8wH1wXmuTnRC"],
)
def test_a_peer_id_that_is_not_ed25519_is_refused_with_a_sentence(peer: str) -> None:
    with pytest.raises(AddressError) as refused:
        split_peer(f"/ip4/8.8.8.8/tcp/1/p2p/{peer}")
    assert "12D3Koo" in str(refused.value)


def test_loopback_alone_makes_private_addresses_useful() -> None:
    assert is_loopback(from_text("/ip4/127.0.0.1/tcp/1"))
    assert not is_loopback(from_text("/ip4/10.0.0.1/tcp/1"))
    assert AnnouncedAddresses(NetworkConfig(listen=("/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"))).private_addresses
    assert not AnnouncedAddresses(
        NetworkConfig(listen=("/ip4/127.0.0.1/tcp/0", "/ip4/0.0.0.0/tcp/0"))
    ).private_addresses


def test_the_addresses_set_by_the_operator_are_announced() -> None:
    announced = AnnouncedAddresses(NetworkConfig(announce=(f"/ip4/8.8.8.8/tcp/4327/p2p/{peer_text(PEER)}",)))
    assert announced([Multiaddr("/ip4/10.0.0.1/tcp/4327")]) == [Multiaddr("/ip4/8.8.8.8/tcp/4327")]


def test_all_interfaces_are_announced_as_what_can_be_dialled() -> None:
    candidates = [Multiaddr("/ip4/0.0.0.0/tcp/4327"), Multiaddr("/ip4/8.8.8.8/tcp/4327")]
    public = AnnouncedAddresses(NetworkConfig())(candidates)
    assert Multiaddr("/ip4/8.8.8.8/tcp/4327") in public
    assert not any(is_private(addr.to_bytes()) for addr in public)
    everything = AnnouncedAddresses(NetworkConfig(private_addresses=True))(candidates)
    assert Multiaddr("/ip4/127.0.0.1/tcp/4327") in everything
    assert Multiaddr("/ip4/0.0.0.0/tcp/4327") not in everything
    beside = AnnouncedAddresses(NetworkConfig(private_addresses=True))([Multiaddr("/ip4/0.0.0.0/tcp/4328/ws")])
    assert Multiaddr("/ip4/127.0.0.1/tcp/4328/ws") in beside


@pytest.mark.parametrize("text", ["/ip4/1.2.3.4/udp/1", "/ip4/1.2.3.4/tcp/1/wss", "/dns4/x.org/tcp/1", "rubbish"])
def test_listening_needs_an_ip_address_and_a_tcp_port(text: str) -> None:
    with pytest.raises(NetworkError) as refused:
        listen_addresses(NetworkConfig(listen=(text,)))
    assert refused.value.reason == "bad_address"
    assert "p2p.listen" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/dnsaddr/example.org", "/dnsaddr stands for other addresses"),
        ("/ip4/8.8.8.8/udp/1/quic-v1", "QUIC"),
        ("/ip4/8.8.8.8/udp/1/quic-v1/webtransport", "QUIC"),
        ("/ip4/8.8.8.8/udp/1", "UDP"),
        ("/dns4/example.org/tcp/443/tls", "TLS without WebSocket"),
        ("/dns4/example.org/tcp/443/ws/wss", "one host and its TCP port"),
        ("/dns4/example.org/tcp/443/ws/ip4/127.0.0.1/tcp/22", "one host and its TCP port"),
        ("/ip4/8.8.8.8/tcp/1/p2p-circuit", "address of a relay"),
        (f"/p2p/{peer_text(PEER)}/p2p-circuit", "address of a relay"),
        (f"/ip4/8.8.8.8/udp/1/quic-v1/p2p/{peer_text(PEER)}/p2p-circuit", "address of a relay"),
        (
            "/ip4/8.8.8.8/tcp/1/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN/p2p-circuit",
            "address of a relay",
        ),
        (f"/ip4/8.8.8.8/tcp/1/p2p/{peer_text(PEER)}/p2p-circuit/ip4/127.0.0.1/tcp/22", "address of a relay"),
        ("/ip4/8.8.8.8/tcp/0", "port 0"),
        ("/unix/tmp", "one host and its TCP port"),
        ("/ip4/8.8.8.8/tcp/1/ip4/127.0.0.1/tcp/22", "one host and its TCP port"),
    ],
)
def test_an_address_that_cannot_be_dialled_is_refused_with_the_true_reason(text: str, said: str) -> None:
    with pytest.raises(AddressError, match=said):
        dial_target(f"{text}/p2p/{peer_text(PEER)}")
