"""The DHT as other implementations speak it: messages of js-libp2p 3, byte by byte, and what is answered."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import trio
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.network.stream.exceptions import StreamError
from libp2p.peer.id import ID
from libp2p.utils import encode_varint_prefixed
from libp2p.utils.varint import read_varint_prefixed_bytes

from tests.p2p.nodes import TestNode, eventually, networks
from tests.p2p.p2p_world import DAY_MS, Signer, now_ms

pytestmark = pytest.mark.network
TIME_RECEIVED = b"2026-11-26T11:09:24.698000000Z"  # as js writes it


def field(number: int, content: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + encode_varint_prefixed(content)


def put_value(key: bytes, value: bytes) -> bytes:
    """As `@libp2p/kad-dht` 16 writes it: the type, 0, is left out; the record states when it was received."""
    record = field(1, key) + field(2, value) + field(5, TIME_RECEIVED)
    return field(2, key) + field(3, record)


def find_node(key: bytes) -> bytes:
    """What it asks before: who is closest to the key of the record."""
    return b"\x08\x04" + field(2, key)


async def asked(node: TestNode, other: TestNode, message: bytes) -> Message:
    """One message on a stream of its own, closed for writing after it; the answer."""

    async def ask(inside: Any) -> Message:
        stream = await inside.host.new_stream(ID(other.peer), [inside.dht.protocol])
        await stream.write(encode_varint_prefixed(message))
        answer = Message()
        with trio.fail_after(10):
            answer.ParseFromString(await read_varint_prefixed_bytes(stream))
        await stream.close()
        return answer

    return await node.inside(ask)


async def key_of(node: TestNode, signer: Signer) -> bytes:
    key: str = await node.inside(lambda inside: inside.dht._key(signer.key.pubkey))
    return key.encode()


async def test_a_peer_that_stores_a_record_learns_which_peers_are_closest_to_its_key() -> None:
    async with networks(3) as (hub, third, js):
        await third.meet(hub)
        await js.meet(hub)

        async def known() -> bool:
            return (await hub.stats()).dht_peers == 2

        await eventually(known)
        answer = await asked(js, hub, find_node(await key_of(js, Signer())))

        assert [peer.id for peer in answer.closerPeers] == [third.peer]


async def test_a_record_that_js_puts_is_stored_and_so_are_the_same_and_a_newer_one() -> None:
    async with networks(2) as (js, ben):
        await js.meet(ben)
        signer, now = Signer(), now_ms()
        old, new = (signer.advertise(ts=now - age, exp=now + DAY_MS) for age in (5_000, 1_000))
        key = await key_of(js, signer)
        for signed in (old, old, new):
            answer = await asked(js, ben, put_value(key, signed.envelope))
            assert answer.record.value == signed.envelope

        assert await ben.dht_get(signer.key.pubkey) == new.envelope


async def test_a_put_of_an_older_record_is_answered_with_a_reset_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="p2p")
    async with networks(2) as (js, ben):
        await js.meet(ben)
        signer, now = Signer(), now_ms()
        old, new = (signer.advertise(ts=now - age, exp=now + DAY_MS) for age in (5_000, 1_000))
        key = await key_of(js, signer)
        await asked(js, ben, put_value(key, new.envelope))
        with pytest.raises(StreamError):
            await asked(js, ben, put_value(key, old.envelope))

        assert await ben.dht_get(signer.key.pubkey) == new.envelope
        assert f"a DHT message of {ID(js.peer)} is refused" in caplog.text


async def test_a_key_that_no_record_can_have_is_refused() -> None:
    async with networks(2) as (js, ben):
        await js.meet(ben)
        with pytest.raises(StreamError):
            await asked(js, ben, find_node(b"/" * 129))
        assert ben.alive


async def test_a_record_reaches_a_peer_that_only_another_knows() -> None:
    async with networks(3) as (hub, far, near):
        await far.meet(hub)
        await near.meet(hub)

        async def known() -> bool:
            return (await hub.stats()).dht_peers == 2

        await eventually(known)
        signer = Signer()
        signed = signer.advertise()
        assert await near.dht_put(signer.key.pubkey, signed.envelope)
        key = await key_of(far, signer)

        stored = await far.inside(lambda inside: inside.dht.service.value_store.store.get(key))
        assert stored is not None
        assert stored[0].value == signed.envelope
