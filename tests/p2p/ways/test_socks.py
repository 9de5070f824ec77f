"""A node behind a SOCKS5 proxy: everything is dialled through it, and bad proxies cost a dial, no more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from p2p.addresses import Multiaddr, dialable
from p2p.announce import AnnouncedAddresses, check_addresses
from p2p.errors import NetworkError, PeerUnreachable
from p2p.settings import NetworkConfig, Proxy
from tests.p2p.nodes import identified, network
from tests.p2p.p2p_world import have
from tests.p2p.ways.tor_world import NAME, Asked, an_onion, fake_tor, onion_service

pytestmark = pytest.mark.network
PEER = "12D3KooWA4PHJGtFcDD6a1uGBJP2yzMhBBmxWBzYjC5a3cTtZsGQ"
PROXY = Proxy("127.0.0.1", 9050)
Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_two_onion_services_meet_and_talk_through_the_proxy_alone() -> None:
    async with fake_tor() as tor, onion_service(tor) as anna, onion_service(tor) as bob:
        await anna.meet(bob)
        await identified(anna, bob)
        onion = bob.address.split("/")[2]
        assert onion.endswith(":4327")
        assert [peer.multiaddrs for peer in anna.peers()] == [(bob.address,)]
        assert anna.send(bob.peer, [have(1)])
        assert await bob.ask(anna.peer, b"abc", 30_000) == b"cba"
        await bob.sink.until(lambda: len(bob.sink.frames) == 1)
        assert tor.asked[0] == Asked(NAME, f"{onion[:-5]}.onion", 4327)
        assert {asked.kind for asked in tor.asked} == {NAME}


async def test_a_name_is_looked_up_by_the_proxy_and_never_by_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def asked(host: Any, *more: Any, **named: Any) -> Any:
        assert host != "peer.example", "a name was looked up here"
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    async with fake_tor() as tor, network() as open_node, network(proxy=tor.proxy) as hidden:
        port = int(open_node.address.split("/")[4])
        tor.places["peer.example", 443] = ("127.0.0.1", port)
        await hidden.connect(f"/dns4/peer.example/tcp/443/p2p/{open_node.peer_text}")
        assert tor.asked == [Asked(NAME, "peer.example", 443)]
        await identified(open_node, hidden)
        assert hidden.peers()[0].host is None, "only the proxy knows where it is"


@pytest.mark.parametrize(
    ("answer", "said"),
    [(4, "the host is unreachable"), (0xF0, "no such onion service"), (0xF6, "no onion address"), (99, "answer 99")],
)
async def test_who_connects_hears_what_the_proxy_says(answer: int, said: str) -> None:
    async with fake_tor() as tor, onion_service(tor) as hidden:
        tor.refusal = answer
        with pytest.raises(PeerUnreachable, match=f"cannot connect: the proxy .*did not connect: .*{said}"):
            await hidden.connect(f"/onion3/{an_onion()}:4327/p2p/{PEER}")


async def test_what_tells_or_tests_the_address_of_the_host_is_off() -> None:
    async with fake_tor() as tor, onion_service(tor, dial_back=True, mdns=True) as hidden:
        protocols = await hidden.inside(lambda node: [str(name) for name in node.host.get_mux().get_protocols()])
        told = await hidden.inside(lambda node: node.host.identity(None))
        assert not {"/libp2p/dcutr", "/libp2p/autonat/1.0.0"} & set(protocols)
        assert [str(Multiaddr(addr)) for addr in told.listen_addrs] == [hidden.address.partition("/p2p/")[0]]
        assert hidden.reachability.proxied
        assert not hidden.reachability.tested


async def test_nothing_is_dialled_past_the_proxy() -> None:
    async with fake_tor() as tor, network() as open_node, onion_service(tor) as hidden:
        addr = Multiaddr(open_node.address.partition("/p2p/")[0])
        for refused in ("connect", "dial_from"):
            arguments = (addr,) if refused == "connect" else (addr, 4327)
            with pytest.raises(Exception, match="dialled through the proxy"):
                await hidden.inside(
                    lambda node, how=refused, given=arguments: getattr(node.host.swarm.tcp, how)(*given)
                )
        with pytest.raises(PeerUnreachable, match=r"p2p\.private_addresses"):
            await hidden.connect(open_node.address)
        assert tor.asked == []


async def test_the_login_of_the_file_is_sent_and_shown_to_nobody(tmp_path: Path) -> None:
    file = tmp_path / "login"
    file.write_bytes(b"musigd:s3cret\n")
    async with fake_tor() as tor, onion_service(tor) as bob:
        proxy = Proxy("127.0.0.1", tor.port, file)
        async with onion_service(tor, proxy=proxy) as anna:
            await anna.meet(bob)
        onion = bob.address.split("/")[2].partition(":")[0]
        assert {asked.login for asked in tor.asked if asked.host == f"{onion}.onion"} == {b"musigd:s3cret"}
        assert "s3cret" not in f"{proxy} {proxy!r}"


@pytest.mark.parametrize("text", [b"", b"user", b"user:", b":password", b"u" * 256 + b":p"])
def test_a_login_that_cannot_be_sent_is_refused_without_being_shown(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "login"
    file.write_bytes(text)
    config = NetworkConfig(listen=("/ip4/127.0.0.1/tcp/0",), proxy=Proxy("127.0.0.1", 9050, file))
    with pytest.raises(NetworkError, match="USER:PASSWORD") as refused:
        check_addresses(config)
    assert "password" not in str(refused.value)


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(1)


async def _speaks_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def _wants_a_login(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x05\xff")
    await writer.drain()


async def _stops_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x05\x00\x05\x00\x00\x03\xff")
    await writer.drain()


@pytest.mark.parametrize("greet", [_closes, _speaks_http, _wants_a_login, _stops_in_the_middle])
async def test_a_proxy_that_does_not_answer_as_one_is_reported_until_it_does(greet: Greeting) -> None:
    async with fake_tor() as tor, onion_service(tor) as bob, onion_service(tor) as anna:
        tor.greet = greet
        with pytest.raises(PeerUnreachable):
            await anna.connect(bob.address)
        await _until(lambda: anna.reachability.proxy_fault is not None)
        tor.greet = None
        await anna.meet(bob)
        await _until(lambda: anna.reachability.proxy_fault is None)


async def test_a_proxy_that_is_not_there_is_reported_and_one_that_refuses_is_not() -> None:
    async with fake_tor() as tor, onion_service(tor) as anna:
        with pytest.raises(PeerUnreachable):
            await anna.connect(f"/onion3/{an_onion()}:1/p2p/{PEER}")
        assert len(tor.asked) == 1
        assert anna.reachability.proxy_fault is None
        await tor.stop()
        with pytest.raises(PeerUnreachable):
            await anna.connect(f"/onion3/{an_onion()}:1/p2p/{PEER}")
        await _until(lambda: "nothing answers" in (anna.reachability.proxy_fault or ""))


async def test_a_proxy_that_says_nothing_costs_a_dial_its_time_and_no_more() -> None:
    held = asyncio.Event()

    async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await held.wait()

    async with fake_tor() as tor, onion_service(tor, dial_timeout_ms=200) as anna:
        tor.greet = says_nothing
        with pytest.raises(PeerUnreachable):
            await anna.connect(f"/onion3/{an_onion()}:1/p2p/{PEER}")
        held.set()


async def test_an_onion_service_is_named_to_a_node_without_proxy_as_what_it_is() -> None:
    async with network() as node:
        with pytest.raises(PeerUnreachable, match=r"p2p\.socks5"):
            await node.connect(f"/onion3/{an_onion()}:1/p2p/{PEER}")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"proxy": PROXY}, "listen on /ip4/127.0.0.1"),
        ({"proxy": PROXY, "listen": ("/ip6/::/tcp/1",)}, "listen on /ip4/127.0.0.1"),
        ({"proxy": PROXY, "listen": ("/ip4/8.8.8.8/tcp/1",)}, "listen on /ip4/127.0.0.1"),
        ({"bootstrap": (f"/onion3/{an_onion()}:1/p2p/{PEER}",)}, "set p2p.socks5"),
        ({"announce": (f"/onion3/{an_onion()}:1",)}, "set p2p.socks5"),
        (
            {"bootstrap": ("/dnsaddr/example.org",), "proxy": PROXY, "listen": ("/ip4/127.0.0.1/tcp/0",)},
            "past the proxy",
        ),
    ],
)
def test_settings_that_would_undo_the_proxy_or_need_one_are_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        check_addresses(NetworkConfig(**settings))  # type: ignore[arg-type] # a table of some


def test_private_addresses_are_dialled_through_a_proxy_only_where_that_is_set() -> None:
    loopback = ("/ip4/127.0.0.1/tcp/0",)
    assert not AnnouncedAddresses(NetworkConfig(listen=loopback, proxy=PROXY)).private_addresses
    assert AnnouncedAddresses(NetworkConfig(listen=loopback, proxy=PROXY, private_addresses=True)).private_addresses
    onion = Multiaddr(f"/onion3/{an_onion()}:1")
    assert dialable(onion, private_addresses=False, onions=True)
    assert not dialable(onion, private_addresses=True)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - nothing tells; the deadline is above
            await asyncio.sleep(0.01)
