"""IPv6, alone and beside IPv4: listening, announcing, dialling, and what counts as one source."""

from __future__ import annotations

import asyncio
import random
import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from daemon.discovery.directory.address_ranges import range_of_text
from p2p.addresses import Multiaddr, by_turns, from_text
from p2p.announce import AnnouncedAddresses
from p2p.settings import NetworkConfig
from p2p.sources import range_of_host, source_of_ip
from tests.e2e.fleet import advertise_all, sign
from tests.e2e.vessels import NAMES, Vessel, free_port
from tests.p2p.nodes import eventually, identified, network

SIX: Any = {"listen": ("/ip6/::1/tcp/0",)}


@pytest.mark.needs("::1")
@pytest.mark.network
async def test_a_node_of_both_families_is_reached_in_either() -> None:
    port = free_port()
    both = (f"/ip4/127.0.0.1/tcp/{port}", f"/ip6/::1/tcp/{port}")
    async with network(listen=both) as bob, network() as anna, network(**SIX) as carl:
        assert [text.partition("/p2p/")[0] for text in bob.multiaddrs()] == list(both)
        for node, address in zip((anna, carl), bob.multiaddrs(), strict=True):
            await node.connect(address)
            assert await node.ask(bob.peer, b"abc", 60_000) == b"cba"
        await eventually(lambda: _agents(bob, 2))
        assert {peer.host for peer in bob.peers()} == {"127.0.0.1", "::1"}
        observed = await bob.inside(lambda node: Multiaddr(node.host.identity(("::1", 7)).observed_addr))
        assert str(observed) == "/ip6/::1/tcp/7"


async def _agents(node: Any, count: int) -> bool:
    return sum(peer.agent is not None for peer in node.peers()) == count


@pytest.mark.network
async def test_a_family_that_leads_nowhere_does_not_keep_the_other_from_being_tried() -> None:
    dead = [from_text(f"/ip6/::1/tcp/{free_port()}") for _ in range(4)]
    async with network() as bob, network() as anna:
        assert await anna.dial(bob.peer, [*dead, from_text(bob.address)])
        await identified(anna, bob)
        assert anna.peers()[0].multiaddrs[0] == bob.address


@pytest.mark.needs("::1")
@pytest.mark.network
async def test_real_daemons_sign_over_ipv6_and_take_calls_there(tmp_path: Path) -> None:
    name = f"test-{secrets.token_hex(4)}"
    made = [Vessel(tmp_path, vessel, name, address="::1") for vessel in NAMES[:2]]
    try:
        await made[0].start([], ["--rpc-listen", f"[::1]:{free_port()}"])
        await made[1].start([made[0].multiaddr])
        wallets = [await vessel.open_wallet() for vessel in made]
        assert str(made[0].endpoint["rpc"]).startswith("http://[::1]:")
        await advertise_all(wallets, "bip340")
        await sign(wallets)
        assert all(vessel.multiaddr.startswith("/ip6/::1/tcp/") for vessel in made)
    finally:
        await asyncio.gather(*(vessel.close() for vessel in made))


def test_the_families_come_by_turns_in_the_order_in_which_they_were_known() -> None:
    four, six = (f"/ip4/8.8.8.{number}/tcp/1" for number in (1, 2, 3)), ("/ip6/2600::1/tcp/1", "/dns4/x.org/tcp/1")
    a, b, c = map(Multiaddr, four)
    v6, name = map(Multiaddr, six)
    assert by_turns([a, b, c, v6]) == [a, v6, b, c]
    assert by_turns([v6, a, name]) == [v6, a, name]
    assert by_turns([]) == []


def test_an_address_of_ipv4_in_ipv6_clothes_counts_as_what_it_is() -> None:
    assert source_of_ip("::ffff:8.8.8.8") == source_of_ip("8.8.8.8") == "8.8.8.8"
    assert range_of_host("::ffff:8.8.8.8") == range_of_host("8.8.8.9")
    plain = range_of_text(["/ip4/8.8.8.8/tcp/1"])
    assert range_of_text(["/ip6/::ffff:8.8.8.9/tcp/1"]) == plain == b"4\x08\x08\x08"
    assert range_of_text(["/ip6/::ffff:10.0.0.1/tcp/1"]) is None


def test_an_address_of_ipv4_has_a_range_where_the_library_calls_it_global() -> None:
    dice = random.Random(1)
    special = ["0.0.0.8", "10.1.2.1", "100.64.0.1", "127.0.0.1", "169.254.0.1", "172.16.0.1", "172.31.9.1", "192.0.0.1"]
    special += ["192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1"]
    hosts = {f"{first}.{dice.randrange(256)}.{dice.randrange(256)}.1" for first in range(256) for _ in range(9)}
    ranged = {host for host in hosts | set(special) if range_of_text([f"/ip4/{host}/tcp/1"]) is not None}
    assert ranged == {host for host in hosts | set(special) if ip_address(f"{host.rpartition('.')[0]}.1").is_global}


def test_one_subscriber_of_ipv6_is_one_source() -> None:
    assert source_of_ip("2600:1:2:3::1") == source_of_ip("2600:1:2:3:ffff::9") != source_of_ip("2600:1:2:4::1")
    assert range_of_host("2600:1:2:3::1") == range_of_host("2600:1:2:ffff::1") != range_of_host("2600:1:3::1")
    assert range_of_text(["/ip6/2600:1:2:3::1/tcp/1"]) == range_of_host("2600:1:2:3::1")


def test_all_interfaces_of_ipv6_are_announced_as_what_can_be_dialled() -> None:
    announced = AnnouncedAddresses(NetworkConfig(private_addresses=True))([Multiaddr("/ip6/::/tcp/4327/ws")])
    assert Multiaddr("/ip6/::1/tcp/4327/ws") in announced
    assert all(str(addr).startswith("/ip6/") and "/ip6/::/" not in str(addr) for addr in announced)
