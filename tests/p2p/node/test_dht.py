"""The DHT keeps records under their key, the newest wins, and forged records are not kept."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import pytest
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo

from musig2.protocol.records.peers import PeerIdentity
from p2p.addresses import Multiaddr
from p2p.network import Offence
from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import DAY_MS, Signer, forged, now_ms
from tests.serving import serving

pytestmark = pytest.mark.network


async def star(nodes: list[TestNode]) -> None:
    """Connect all to the first and wait until the routing tables are filled."""
    for node in nodes[1:]:
        await node.meet(nodes[0])
    for node in nodes:
        count = len(nodes) - 1 if node is nodes[0] else 1

        async def filled(node: TestNode = node, count: int = count) -> bool:
            return (await node.stats()).dht_peers >= count

        await eventually(filled)


async def test_a_record_put_by_one_is_found_by_another_over_a_third() -> None:
    async with networks(4) as nodes:
        await star(nodes)
        signer = Signer()
        signed = signer.advertise()
        assert await nodes[1].dht_put(signer.key.pubkey, signed.envelope)
        assert await nodes[2].dht_get(signer.key.pubkey) == signed.envelope
        assert await nodes[3].dht_get(secrets.token_bytes(33)) is None


async def test_a_newer_record_takes_the_place_and_an_older_one_does_not() -> None:
    async with networks(3) as nodes:
        await star(nodes)
        signer = Signer()
        now = now_ms()
        old, new = (signer.advertise(ts=now - age, exp=now + DAY_MS) for age in (5_000, 1_000))
        assert await nodes[1].dht_put(signer.key.pubkey, old.envelope)
        assert await nodes[2].dht_get(signer.key.pubkey) == old.envelope
        assert await nodes[1].dht_put(signer.key.pubkey, new.envelope)
        assert await nodes[2].dht_get(signer.key.pubkey) == new.envelope
        assert not await nodes[1].dht_put(signer.key.pubkey, old.envelope)


async def test_a_withdrawal_wins_over_a_replayed_advertisement() -> None:
    async with networks(3) as nodes:
        await star(nodes)
        signer = Signer()
        signed = signer.advertise()
        withdrawal = signer.withdraw(signed.record.ts)
        assert await nodes[1].dht_put(signer.key.pubkey, signed.envelope)
        assert await nodes[1].dht_put(signer.key.pubkey, withdrawal.envelope)
        await nodes[2].dht_put(signer.key.pubkey, signed.envelope)
        for node in nodes:
            assert await node.dht_get(signer.key.pubkey) == withdrawal.envelope


async def test_a_record_stored_while_clocks_were_ahead_gives_way_to_a_timely_one() -> None:
    async with networks(3) as nodes:
        await star(nodes)
        signer = Signer()
        now = now_ms()
        ahead = signer.advertise(ts=now + DAY_MS, exp=now + 2 * DAY_MS).envelope
        timely = signer.advertise(ts=now).envelope
        for node in nodes:
            key = await node.inside(lambda inner: inner.dht._key(signer.key.pubkey).encode())
            await node.inside(lambda inner, key=key: inner.dht.service.value_store.put(key, ahead))
        assert not await nodes[1].dht_put(signer.key.pubkey, ahead), "nobody with a right clock takes it"
        assert await nodes[1].dht_put(signer.key.pubkey, timely)
        for node in nodes:
            assert await node.dht_get(signer.key.pubkey) == timely


async def test_the_same_record_may_be_put_again() -> None:
    async with networks(2) as nodes:
        await star(nodes)
        signer = Signer()
        signed = signer.advertise()
        assert await nodes[0].dht_put(signer.key.pubkey, signed.envelope)
        assert await nodes[0].dht_put(signer.key.pubkey, signed.envelope)


async def test_a_record_that_fails_the_checks_is_not_put() -> None:
    async with networks(2) as nodes:
        await star(nodes)
        signer, other = Signer(), Signer()
        now = now_ms()
        signed = signer.advertise()
        expired = signer.advertise(ts=now - 2_000, exp=now - 1_000)
        notice = signer.notice()
        assert not await nodes[0].dht_put(other.key.pubkey, signed.envelope)
        for envelope in (forged(signed), expired.envelope, notice.envelope, b"junk"):
            assert not await nodes[0].dht_put(signer.key.pubkey, envelope)


async def test_a_peer_that_stores_rubbish_is_refused_and_counted() -> None:
    async with networks(2) as (anna, ben):
        await star([anna, ben])
        signer = Signer()
        envelope = forged(signer.advertise())
        assert await anna._call(spread, signer.key.pubkey, envelope) == 0
        assert (anna.peer, Offence.BAD_SIGNATURE) in ben.sink.offences
        assert await ben.dht_get(signer.key.pubkey) is None


def spread(node):  # type: ignore[no-untyped-def] # reaches into the trio side, past the own checks
    async def unchecked(pubkey: bytes, envelope: bytes) -> int:
        return int(await node.dht.service.spread_value(node.dht._key(pubkey), envelope))

    return unchecked


async def test_providers_are_found_once_each_with_their_addresses() -> None:
    async with networks(4) as nodes:
        await star(nodes)
        key = secrets.token_bytes(16)
        await nodes[1].provide(key)
        await nodes[2].provide(key)

        async def both() -> object:
            found = await nodes[3].find_providers(key)
            return found if len(found) == 2 else None

        found = await eventually(both)
        assert {peer for peer, _ in found} == {nodes[1].peer, nodes[2].peer}
        assert all(addrs for _, addrs in found)


async def test_two_networks_in_one_process_do_not_mix() -> None:
    async with networks(1) as (anna,), networks(1) as (ben,):
        await anna.connect(ben.address)
        await anna.sink.until(lambda: anna.sink.changes and not anna.sink.changes[-1].connected)
        assert anna.peers() == []


async def test_dead_peers_that_others_name_are_dialled_once_and_not_kept() -> None:
    knocks = 0

    async def knocked(_: object, writer: asyncio.StreamWriter) -> None:
        nonlocal knocks
        knocks += 1
        writer.close()

    dead = ID(PeerIdentity(secrets.token_bytes(32)).peer)
    async with serving(knocked) as port, networks(2) as (anna, ben):
        addr = Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")
        await star([anna, ben])

        def name(node: Any) -> None:
            node.host.get_peerstore().add_addrs(dead, [addr], 3_600)
            table = node.dht.service.routing_table
            table.find_bucket(dead).peers[dead] = (PeerInfo(dead, [addr]), time.time())

        await ben.inside(name)
        for _ in range(3):
            assert await anna.dht_get(secrets.token_bytes(33)) is None
            await ben.inside(name)
        assert knocks == 1
        assert not await anna.inside(lambda node: node.dht.service.routing_table.peer_in_table(dead))
        assert (await anna.stats()).dht_peers == 1
