"""Notices of made-up identities do not keep a newcomer's from being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from daemon.signing.peers import notices as module
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import tag_of
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frames import Fetch, Signed
from p2p.network import Work
from tests.signing.mallory import Mallory, now_ms
from tests.signing.signing_world import Daemon, World


def notice(mallory: Mallory, key: bytes) -> Signed[Notice]:
    salt = bytes(16)
    record = Notice(mallory.peer, salt, (tag_of(key, salt),), now_ms(), now_ms() + 60_000)
    return seal(record, mallory.identity.sign)


def place(number: int) -> bytes:
    """A binary multiaddr of an IPv4 address."""
    return bytes([4, 9, 9, 9, number, 6, 16, 231])


class Dials:
    """Counts dials into nothing, which end when they are released."""

    def __init__(self, one: Daemon, into_nothing: set[bytes]) -> None:
        assert one.net is not None
        self.under_way = self.most = self.hearsay = self.before = 0
        self._net, self._dial, self._into_nothing = one.net, one.net.dial, into_nothing
        self.released = asyncio.Event()
        one.net.dial = self.dial  # type: ignore[method-assign] # counted

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool:
        self.hearsay += hearsay
        if peer not in self._into_nothing:
            self.before = self.hearsay - 1
            return await self._dial(peer, addrs)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.released.wait()
        self.under_way -= 1
        return False


async def test_places_take_turns_so_that_a_newcomer_does_not_wait_for_a_crowd(world: World) -> None:
    one, newcomer = await world.add(), Mallory(world)
    crowd = [Mallory(world) for _ in range(3 * module.ASKED_AT_ONCE)]
    world.book.addrs |= {each.peer: (place(1),) for each in crowd} | {newcomer.peer: (place(2),)}
    dials = Dials(one, {each.peer for each in crowd})
    for each in crowd:
        one.service.traffic.on_notice(notice(each, one.key))
    one.service.traffic.on_notice(notice(newcomer, one.key))
    await asyncio.sleep(0)
    dials.released.set()
    fetch = await newcomer.hears_frame(Fetch)
    assert len(fetch.delegations) == 1
    assert dials.most == module.ASKED_AT_ONCE
    assert dials.before <= module.ASKED_AT_ONCE + 1
    assert one.net is not None
    assert one.net.charged[newcomer.peer, Work.DIAL] == 1


async def test_a_connected_peer_is_asked_at_once(world: World) -> None:
    one, friend = await world.add(), Mallory(world)
    crowd = [Mallory(world) for _ in range(2 * module.ASKED_AT_ONCE)]
    dials = Dials(one, {each.peer for each in crowd})
    world.hub.connect(friend.peer, one.peer)
    for each in (*crowd, friend):
        one.service.traffic.on_notice(notice(each, one.key))
    assert await friend.hears_frame(Fetch)
    assert dials.under_way == module.ASKED_AT_ONCE
    dials.released.set()
