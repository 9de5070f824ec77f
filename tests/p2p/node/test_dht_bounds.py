"""What the DHT keeps, reads and answers is bounded; what is stored for others outlives own questions."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import pytest
import trio
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.utils import encode_varint_prefixed

from musig2.protocol.records.peers import PeerIdentity
from p2p.addresses import Multiaddr
from p2p.compat.kad import ANSWER_BYTES, MAX_MESSAGE_BYTES, MAX_PROVIDER_ADDRS
from p2p.node.dht import RecordRefused
from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import Signer
from tests.serving import serving

pytestmark = pytest.mark.network
KEY = b"\x12\x20" + bytes(32)


def add_provider(peer: bytes, count: int) -> bytes:
    """An ADD_PROVIDER message with that many addresses, as it stands on a stream."""
    message = Message(type=Message.MessageType.ADD_PROVIDER, key=KEY)
    named = message.providerPeers.add(id=peer)
    named.addrs.extend([Multiaddr("/ip4/127.0.0.1/tcp/9").to_bytes()] * count)
    return encode_varint_prefixed(message.SerializeToString())


async def met(one: TestNode, other: TestNode) -> None:
    await one.meet(other)

    async def known() -> bool:
        return (await one.stats()).dht_peers > 0 and (await other.stats()).dht_peers > 0

    await eventually(known)


def stored_addresses(node: Any) -> list[int]:
    stored = node.dht.service.provider_store.providers.get(KEY, {})
    return [len(record.provider_info.addrs) for record in stored.values()]


async def test_a_provider_record_with_thousands_of_addresses_takes_little_memory() -> None:
    async with networks(2) as (mallory, ben):
        await met(mallory, ben)

        async def tell(node: Any, count: int) -> bytes:
            stream = await node.host.new_stream(ID(ben.peer), [node.dht.protocol])
            await stream.write(add_provider(mallory.peer, count))
            return bytes(await stream.read(1))

        assert await mallory.inside(lambda node: tell(node, 1_000))
        assert await ben.inside(stored_addresses) == [MAX_PROVIDER_ADDRS]
        await ben.inside(lambda node: node.dht.service.provider_store.providers.clear())
        with pytest.raises(StreamError):
            await mallory.inside(lambda node: tell(node, MAX_MESSAGE_BYTES // 10))
        assert await ben.inside(stored_addresses) == []


async def test_a_provider_with_endless_addresses_keeps_the_short_ones() -> None:
    async with networks(1) as (anna,):
        store = await anna.inside(lambda node: node.dht.service.provider_store)
        long = Multiaddr("/ip4/8.8.8.8/tcp/1" * 40)
        store.add_provider(KEY, PeerInfo(ID(bytes(38)), [long, Multiaddr("/ip4/8.8.8.8/tcp/1")]))
        assert [str(addr) for addr in store.get_providers(KEY)[0].addrs] == ["/ip4/8.8.8.8/tcp/1"]


async def test_an_answer_is_never_larger_than_what_others_read() -> None:
    async with networks(1) as (anna,):
        response = Message(type=Message.MessageType.GET_PROVIDERS, key=KEY)
        for number in range(40):
            response.providerPeers.add(id=number.to_bytes(38, "big"), signedRecord=bytes(4_096))
        await anna.inside(lambda node: node.dht.service._add_closer_peers_to_response(response, []))
        assert ANSWER_BYTES - 8_192 < response.ByteSize() <= ANSWER_BYTES < MAX_MESSAGE_BYTES


def keep_silent(asked: trio.Event) -> Any:
    """Take streams of the DHT and say nothing."""

    async def silence(_: Any) -> None:
        asked.set()
        await trio.sleep_forever()

    return lambda node: node.dht.service._kad_host.set_stream_handler("/ipfs/kad/1.0.0", silence)


async def test_a_lookup_that_is_given_up_leaves_the_own_copy_where_others_find_it() -> None:
    async with networks(2) as (mute, ben):
        asked = trio.Event()
        await mute.inside(keep_silent(asked))
        await met(mute, ben)
        signer = Signer()
        tombstone = signer.withdraw()
        key = await ben.inside(lambda node: node.dht._key(signer.key.pubkey).encode())
        await ben.inside(lambda node: node.dht.service.value_store.put(key, tombstone.envelope))

        async def held() -> bytes:
            return bytes((await ben.inside(lambda node: node.dht.service.value_store.get(key))).value)

        lookup = asyncio.create_task(ben.dht_get(signer.key.pubkey))
        await mute.inside(lambda _: asked.wait())
        assert await held() == tombstone.envelope
        lookup.cancel()
        await asyncio.gather(lookup, return_exceptions=True)
        assert await held() == tombstone.envelope


async def test_a_search_for_providers_that_is_given_up_forgets_none() -> None:
    async with networks(2) as (mute, ben):
        asked = trio.Event()
        await mute.inside(keep_silent(asked))
        await met(mute, ben)
        await ben.provide(b"key")
        count = await ben.inside(lambda node: node.dht.service.provider_store.size())
        assert count == 1
        search = asyncio.create_task(ben.find_providers(b"key"))
        await mute.inside(lambda _: asked.wait())
        search.cancel()
        await asyncio.gather(search, return_exceptions=True)
        assert await ben.inside(lambda node: node.dht.service.provider_store.size()) == count


async def test_a_delegation_that_was_shown_to_somebody_cannot_be_published() -> None:
    async with networks(2) as (anna, ben):
        await met(anna, ben)
        signer = Signer()
        shown = signer.advertise(types=())
        assert not await anna.dht_put(signer.key.pubkey, shown.envelope)
        key = await ben.inside(lambda node: node.dht._key(signer.key.pubkey))
        validator = await ben.inside(lambda node: node.dht._validator)
        with pytest.raises(RecordRefused, match="delegation"):
            validator.validate(key, shown.envelope)
        belongs = await ben.inside(lambda node: node.gossip._belongs)
        for topic in ("", "signers/", "signers/spend", "requests"):
            assert not belongs(f"musigd/{ben._config.network}/{topic}", shown.record)


async def test_peers_that_an_answer_makes_up_at_one_address_cause_one_connection() -> None:
    dialled = 0

    async def victim(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialled
        dialled += 1
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with serving(victim) as port, networks(1) as (anna,):
        addr = Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")
        made_up = [ID(PeerIdentity(secrets.token_bytes(32)).peer) for _ in range(10)]

        async def look_up(node: Any) -> int:
            refused = 0
            for peer in made_up:
                node.host.get_peerstore().add_addrs(peer, [addr], 100)
                try:
                    await node.dht.service._kad_host.new_stream(peer, [node.dht.protocol])
                except SwarmException:
                    refused += 1
            return refused

        assert await anna.inside(look_up) == len(made_up)
    assert dialled == 1
