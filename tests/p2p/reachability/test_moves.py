"""A host that moves to another network: its dead connections end at once, here and at the others."""

from __future__ import annotations

from typing import Any

import pytest
from libp2p.peer.id import ID

from p2p.compat import swarm, tcp
from tests.p2p.nodes import TestNode, eventually, network, networks
from tests.p2p.p2p_world import have

pytestmark = pytest.mark.network


def test_an_address_is_own_while_this_host_has_it() -> None:
    assert tcp.is_own("127.0.0.1")
    assert not tcp.is_own("203.0.113.9")


@pytest.mark.needs("::1")
def test_an_address_of_ipv6_is_own_too() -> None:
    assert tcp.is_own("::1")


async def test_connections_from_an_address_that_is_gone_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        assert await anna.inside(lambda life: life.host.swarm.opened.close_gone()) == 0
        monkeypatch.setattr(tcp, "is_own", lambda host: False)
        assert await anna.inside(lambda life: life.host.swarm.opened.close_gone()) == 1
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        monkeypatch.undo()
        await anna.meet(ben)  # it listens still


async def test_the_dead_connection_of_a_peer_that_came_again_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm, "DOUBLE_S", 0.1)
    async with networks(1) as (ben,), network(network=ben._config.network) as anna:
        await anna.meet(ben)
        assert ben.send(anna.peer, [have(1)])  # ben opens the stream that both use
        await anna.sink.until(lambda: anna.sink.frames)
        (dead,) = await ben.inside(lambda life: life.host.swarm.live(ID(anna.peer)))
        await anna.inside(lambda life: _cut_off(life.host.swarm, ID(ben.peer)))
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        await anna.connect(ben.address)

        async def only_the_new_one_is_left() -> bool:
            live = await ben.inside(lambda life: life.host.swarm.live(ID(anna.peer)))
            return len(live) == 1 and live[0] is not dead

        assert await eventually(only_the_new_one_is_left)
        assert ben.send(anna.peer, [have(2)])
        await anna.sink.until(lambda: len(anna.sink.frames) == 2)
        assert _never_left(ben, anna)


async def _cut_off(own: swarm.GuardedSwarm, peer: ID) -> None:
    """End the connection here without a byte that would tell the other side."""
    (conn,) = own.direct(peer)

    async def nothing(*_: Any) -> None:
        return

    monkeypatched: Any = conn.muxed_conn.secured_conn
    monkeypatched.write = monkeypatched.close = nothing
    await conn.close()


def _never_left(node: TestNode, other: TestNode) -> bool:
    return all(change.connected for change in node.sink.changes if change.peer == other.peer)
