"""Of one address range few strangers are in the table of the DHT, wherever they have ground their ids to be."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import pytest
import trio
from libp2p.kad_dht.routing_table import RoutingTable
from libp2p.peer.id import ID

from p2p.addresses import Multiaddr
from p2p.compat.kad import PER_BUCKET, PER_TABLE, Resident
from p2p.ports import Standing
from tests.p2p.nodes import TestNode, eventually, identified, networks

HOST = "11.22.33.44"
ADDRS = [Multiaddr("/ip4/11.22.33.44/tcp/4327")]


def an_id() -> ID:
    return ID(b"\x00\x24\x08\x01\x12\x20" + secrets.token_bytes(32))


def distance(one: ID, other: ID) -> int:
    keys = (int.from_bytes(hashlib.sha256(peer.to_bytes()).digest()) for peer in (one, other))
    return next(keys) ^ next(keys)


def test_ids_that_are_ground_next_to_an_own_one_take_three_places_of_its_neighbours() -> None:
    own = an_id()
    ground = sorted((an_id() for _ in range(4_000)), key=lambda peer: distance(own, peer))[:40]
    honest = [an_id() for _ in range(60)]

    async def main() -> list[ID]:
        nobody: Any = None  # a host is needed where a full bucket asks whether its oldest peer is there
        table = RoutingTable(own, nobody, PER_BUCKET, PER_TABLE)
        for peer in ground:
            await table.add_peer(Resident(peer, ADDRS, b"4\x0b\x16\x21"), skip_server_mode_check=True)
        for number, peer in enumerate(honest):
            await table.add_peer(Resident(peer, ADDRS, bytes([4, 12, 0, number])), skip_server_mode_check=True)
        return list(table.find_local_closest_peers(own.to_bytes(), 8))

    neighbours = trio.run(main)
    assert len(neighbours) == 8
    assert len(set(neighbours) & set(ground)) <= PER_TABLE


async def in_table(node: TestNode) -> set[bytes]:
    found: set[bytes] = await node.inside(
        lambda inner: {peer.to_bytes() for peer in inner.dht.service.routing_table.get_peer_ids()}
    )
    return found


async def as_from(node: TestNode, host: str, *others: TestNode) -> None:
    """What the accounts note where these connect from a public address."""

    def note(inner: Any) -> None:
        arrived = inner._accounts.arrived
        inner._accounts.arrived = lambda peer, _, relay=None: arrived(
            peer, host if peer in {other.peer for other in others} else None, relay
        )

    await node.inside(note)


@pytest.mark.network
async def test_of_one_range_two_strangers_enter_a_bucket_whatever_they_claim() -> None:
    async with networks(6) as (node, *others):
        await as_from(node, HOST, *others)
        for other in others:
            await other.meet(node)
        await identified(*others)
        await eventually(lambda: all_identified(node, others))
        assert len(await in_table(node)) == PER_BUCKET, "all are in one bucket"


@pytest.mark.network
async def test_known_peers_and_those_of_a_private_network_are_not_counted() -> None:
    async with networks(6) as (node, *others):
        known, private = others[:3], others[3:]
        await as_from(node, HOST, *known)
        for other in known:
            node.stand(other.peer, Standing.KNOWN)
        for other in (*known, *private):
            await other.meet(node)

        async def all_there() -> bool:
            return await in_table(node) == {other.peer for other in others}

        assert await eventually(all_there)


async def all_identified(node: TestNode, others: list[TestNode]) -> bool:
    return all(info.agent for info in node.peers()) and len(node.peers()) == len(others)
