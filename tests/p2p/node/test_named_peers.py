"""Whom the owner named stays connected: dialled again when the other side closes, after growing pauses."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
from libp2p.peer.id import ID
from trio.testing import MockClock

from p2p.addresses import from_text
from p2p.node.named import LAST_PAUSE_S, MOST, NamedPeers, Names, Pauses
from p2p.ports import Direction
from tests.p2p.node.test_life import kill
from tests.p2p.nodes import TestNode, network, networks
from tests.p2p.relay.relay_world import relayed

A, B = b"a", b"b"


async def let_go(node: TestNode, peer: TestNode) -> None:
    """As `node` does when it has too many connections."""

    async def close(inner: Any) -> None:
        await inner.host.swarm.live(ID(peer.peer))[0].close_unneeded()

    await node.inside(close)


def comings(node: TestNode, peer: TestNode) -> list[bool]:
    """Arrivals and departures of that peer, in order."""
    return [change.connected for change in node.sink.changes if change.peer == peer.peer]


@pytest.mark.network
async def test_whom_connect_peer_named_is_dialled_again_after_it_closed_what_it_did_not_need() -> None:
    async with networks(2, bootstrap_pause_ms=50) as (node, other):
        assert await other.dial(node.peer, [from_text(node.address)])
        await node.sink.until(lambda: node.connected(other.peer))
        assert (await node.connect(other.address)).already
        await let_go(other, node)
        await node.sink.until(lambda: comings(node, other) == [True, False, True])
        assert node.peers()[0].direction is Direction.OUTBOUND, "the other side closes only what it has opened itself"


@pytest.mark.network
async def test_whom_connect_peer_named_is_dialled_again_when_it_has_restarted() -> None:
    async with networks(1, bootstrap_pause_ms=50) as (node,):
        seed = bytes(range(32))
        async with network(seed, network=node._config.network) as other:
            await node.meet(other)
            listen = other._config.listen
        await node.sink.until(lambda: not node.connected(other.peer))
        async with network(seed, network=node._config.network, listen=listen):
            await node.sink.until(lambda: node.connected(other.peer))
    assert comings(node, other)[:3] == [True, False, True]


@pytest.mark.network
async def test_who_was_named_is_dialled_by_the_next_life_of_the_libp2p_side() -> None:
    async with networks(2, bootstrap_pause_ms=50, restart_pause_ms=20) as (node, other):
        await node.meet(other)
        await kill(node)
        await node.sink.until(lambda: len(node.sink.states) == 3)
        await node.sink.until(lambda: node.connected(other.peer))
        assert node.peers()[0].direction is Direction.OUTBOUND


@pytest.mark.network
async def test_disconnect_peer_ends_that_a_peer_is_kept() -> None:
    async with networks(2, bootstrap_pause_ms=50) as (node, other):
        await node.meet(other)
        await node.disconnect(other.peer)
        assert not await node.inside(lambda inner: inner.reach.is_wanted(other.peer))


@pytest.mark.network
async def test_who_could_not_be_reached_when_it_was_named_is_not_kept() -> None:
    async with networks(2) as (node, other):
        await other.stop()
        with pytest.raises(Exception, match="cannot connect"):
            await node.connect(f"{other._config.listen[0]}/p2p/{other.peer_text}")
        assert not await node.inside(lambda inner: inner.reach.is_wanted(other.peer))


@pytest.mark.network
async def test_a_relay_keeps_the_connection_of_who_is_reached_through_it() -> None:
    async with relayed(1) as (relay, (node,)):
        assert await relay.inside(lambda inner: inner._is_needed(node.peer))


class Dials:
    """Notes when each peer is dialled; none answers."""

    def __init__(self, clock: MockClock) -> None:
        self.clock = clock
        self.at_s: dict[bytes, list[float]] = {}

    async def dial(self, peer: bytes, addr: bytes) -> None:
        self.at_s.setdefault(peer, []).append(trio.current_time())

    def run(self, seconds: float, *peers: bytes) -> None:
        async def main() -> None:
            named = NamedPeers(Names(dict.fromkeys(peers, b"")), Pauses(2.0), self.dial, lambda peer: False)
            with trio.move_on_after(seconds):
                await named.run()

        trio.run(main, clock=self.clock)

    def pauses(self, peer: bytes) -> list[float]:
        at_s = self.at_s[peer]
        return [round(later - earlier) for earlier, later in pairwise(at_s)]


def test_who_does_not_answer_is_dialled_after_pauses_that_double_to_five_minutes() -> None:
    dials = Dials(MockClock(autojump_threshold=0))
    dials.run(3_600.0, A, B)
    assert dials.pauses(A)[:9] == [2, 4, 8, 16, 32, 64, 128, 256, LAST_PAUSE_S]
    assert set(dials.pauses(B)[8:]) == {LAST_PAUSE_S}


def test_who_accepts_and_closes_at_once_is_dialled_as_seldom_and_a_connection_that_lasted_starts_anew() -> None:
    async def main() -> list[float]:
        pauses, lengths = Pauses(2.0), list[float]()
        for lasted_s in (0.0, 0.1, 0.1, LAST_PAUSE_S, 0.1):
            pauses.met(A)
            await trio.sleep(lasted_s)
            pauses.lost(A)
            assert not pauses.is_over(A)
            lengths.append(round(pauses.end_s(A) - trio.current_time()))
        return lengths

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == [2, 4, 8, 2, 4]


def test_the_peers_that_were_named_last_are_kept() -> None:
    async def main() -> Names:
        names = Names()
        named = NamedPeers(names, Pauses(2.0), Dials(MockClock()).dial, lambda peer: True)
        for number in range(MOST + 1):
            named.add(number.to_bytes(2), b"")
        named.add((1).to_bytes(2), b"again")
        return names

    names = trio.run(main)
    assert len(names) == MOST
    assert (0).to_bytes(2) not in names
    assert next(reversed(names.items())) == ((1).to_bytes(2), b"again")
