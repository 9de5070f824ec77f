"""From a relay to a direct connection: nothing is lost on the way, and the relay is not used any more."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from libp2p.peer.id import ID

from musig2.protocol.wire.frames import Have
from p2p.addresses import Multiaddr
from p2p.compat.swarm import GuardedSwarm
from p2p.relay.punch import Puncher
from tests.p2p.nodes import TestNode, eventually, identified, network
from tests.p2p.p2p_world import have
from tests.p2p.relay.relay_world import reachable_through, relayed_addresses

pytestmark = pytest.mark.network
MANY = 300


def numbers(node: TestNode) -> list[int]:
    return [int.from_bytes(frame.request, "big") for _, frame in node.sink.frames if isinstance(frame, Have)]


@contextlib.asynccontextmanager
async def through_a_relay(**settings: Any) -> AsyncIterator[tuple[TestNode, TestNode, TestNode]]:
    """A relay; anna, who is reached through it; ben, who does not know anna yet."""
    name = f"t-{secrets.token_hex(6)}"
    async with (
        network(network=name, relay_service=True) as relay,
        network(network=name, relay_client="always", bootstrap=(relay.address,), **settings) as anna,
        network(network=name, bootstrap=(relay.address,), **settings) as ben,
    ):
        await reachable_through(anna)
        yield relay, anna, ben


async def direct_only(one: TestNode, other: TestNode) -> None:
    """Wait until there is one connection between them, which goes through no relay."""

    async def check() -> bool:
        return bool(
            await one.inside(lambda life: len(life.host.swarm.live(ID(other.peer))) == 1)
            and await one.inside(lambda life: len(life.host.swarm.direct(ID(other.peer))) == 1)
        )

    await eventually(check)


async def test_who_can_be_dialled_is_dialled_and_no_frame_is_lost_on_the_way() -> None:
    async with through_a_relay() as (_, anna, ben):
        await ben.connect(relayed_addresses(anna)[0])
        await anna.sink.until(lambda: anna.connected(ben.peer))
        for number in range(MANY):
            assert anna.send(ben.peer, [have(number)])
            assert ben.send(anna.peer, [have(number)])
            await ben.sink.until(lambda number=number: number in numbers(ben))
        await direct_only(anna, ben)
        await anna.sink.until(lambda: len(anna.sink.frames) == MANY)
        # The last frame through the relay may come after the first over the direct connection.
        assert sorted(numbers(anna)) == sorted(numbers(ben)) == list(range(MANY))
        assert {info.relay for info in [*anna.peers(), *ben.peers()]} == {None}
        assert not any(not change.connected for change in [*anna.sink.changes, *ben.sink.changes])
        assert anna.send(ben.peer, [have(MANY)])
        assert ben.send(anna.peer, [have(MANY)])
        await anna.sink.until(lambda: MANY in numbers(anna))
        await ben.sink.until(lambda: MANY in numbers(ben))


async def test_two_behind_routers_dial_each_other_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Multiaddr] = []
    dial = Puncher.dial

    async def noted(self: Puncher, addr: Multiaddr, peer: ID, *, client: bool) -> bool:
        dialled.append(addr)
        return await dial(self, addr, peer, client=client)

    monkeypatch.setattr(Puncher, "dial", noted)
    async with through_a_relay() as (_, anna, ben):
        await identified(anna, ben)
        monkeypatch.setattr(GuardedSwarm, "dial_now", _only_through_relays(GuardedSwarm.dial_now))
        await ben.connect(relayed_addresses(anna)[0])
        await direct_only(anna, ben)
        assert {str(addr) for addr in dialled} <= {
            text.partition("/p2p/")[0] for node in (anna, ben) for text in node.multiaddrs()
        }
        assert dialled


def _only_through_relays(dial_now: Any) -> Any:
    async def dial(swarm: GuardedSwarm, peer_id: ID, *, hearsay: bool = False, direct: bool = False) -> Any:
        return None if direct else await dial_now(swarm, peer_id, hearsay=hearsay)

    return dial


async def test_where_there_is_no_way_the_relay_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_: Any, **__: Any) -> bool:
        return False

    monkeypatch.setattr(Puncher, "dial", nowhere)
    async with through_a_relay() as (relay, anna, ben):
        monkeypatch.setattr(GuardedSwarm, "dial_now", _only_through_relays(GuardedSwarm.dial_now))
        await ben.connect(relayed_addresses(anna)[0])
        await anna.sink.until(lambda: anna.connected(ben.peer))

        async def given_up() -> bool:
            return bool(await anna.inside(lambda life: not life.upgrades._under_way))

        await eventually(given_up)
        assert ben.send(anna.peer, [have(1)])
        await anna.sink.until(lambda: numbers(anna) == [1])
        assert {info.relay for info in anna.peers()} == {None, relay.peer}
