"""No peer gets more of the directory than its share, and none gets less because of another."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

from daemon.discovery.directory.eviction import water_level
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.checks import Screen
from daemon.discovery.limits import DiscoveryLimits
from daemon.signing.store.reads import keys_about_to_sign
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Entry, Node, Notice
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import Busy, FetchIds, Statements, encode_ask, open_answer
from p2p.addresses import from_text
from tests.discovery.discovery_world import DAY_MS, Signer, World, a_world, push_of, until
from tests.discovery.test_attacks_on_records import MALLORY, pushed


def address(net: int, host: int) -> tuple[bytes, ...]:
    return (from_text(f"/ip4/80.1.{net}.{host}/tcp/4001"),)


async def test_a_thousand_valid_advertisements_from_one_peer_take_only_its_share(world: World) -> None:
    daemon, mallory, alice = await world.daemon(), PeerIdentity(secrets.token_bytes(32)), Signer()
    flood = [Signer(peer=mallory).advertise(world.clock.wall) for _ in range(1_000)]
    for start in range(0, 1_000, 250):
        await pushed(daemon, MALLORY, *flood[start : start + 250])
    assert daemon.lines() == world.limits.advertisements_per_peer
    assert daemon.net.faults == []
    assert await pushed(daemon, MALLORY, alice.advertise(world.clock.wall)) == 1


async def test_one_address_range_has_a_share_too(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements_per_net=5)) as world:
        daemon = await world.daemon()
        flood = [Signer().advertise(world.clock.wall, addrs=address(7, host)) for host in range(1, 11)]
        assert await pushed(daemon, MALLORY, *flood) == 5
        assert await pushed(daemon, MALLORY, Signer().advertise(world.clock.wall, addrs=address(8, 1))) == 1


async def test_a_full_directory_evicts_from_the_fullest_group_and_never_own_keys(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements=20)) as world:
        daemon, mallory = await world.daemon(), PeerIdentity(secrets.token_bytes(32))
        own = daemon.keys.create()
        await daemon.advertise(own)
        honest = [Signer() for _ in range(10)]
        await pushed(daemon, MALLORY, *(signer.advertise(world.clock.wall) for signer in honest))
        await pushed(daemon, MALLORY, *(Signer(peer=mallory).advertise(world.clock.wall) for _ in range(50)))
        shown = await daemon.found(includeOwn=True)
        assert {own.hex(), *(signer.pubkey.hex() for signer in honest)} <= shown
        assert len(shown) == 20


async def test_past_partners_are_never_evicted(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements=5)) as world:
        daemon, partner = await world.daemon(), Signer()
        await pushed(daemon, MALLORY, partner.advertise(world.clock.wall))
        daemon.service.signers.record_outcome(partner.pubkey, "completed")
        await until(lambda: daemon.service._observations.written == 1)
        for _ in range(5):
            await pushed(daemon, MALLORY, *(Signer().advertise(world.clock.wall) for _ in range(4)))
        assert partner.pubkey.hex() in await daemon.found()
        assert daemon.lines() <= 5


async def test_a_flood_of_notices_takes_only_the_share_of_its_peer(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(notices_per_peer=10)) as world:
        daemon, mallory = await world.daemon(), PeerIdentity(secrets.token_bytes(32))
        await daemon.service.traffic.on_ask(MALLORY, push_of(*notices(mallory, world.clock.wall, 50)))
        assert daemon.lines(kind=4) == 10
        assert len(daemon.notices) == 10


async def test_withdrawals_of_unknown_keys_are_bounded(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(unknown_withdrawals=10)) as world:
        daemon, alice = await world.daemon(), Signer()
        await pushed(daemon, MALLORY, alice.advertise(world.clock.wall))
        flood = [(Signer().withdraw(world.clock.wall), None) for _ in range(30)]
        await pushed(daemon, MALLORY, *flood)
        unknown = "SELECT count(*) FROM directory_log WHERE kind = 2 AND peer IS NULL"
        assert daemon.store.read(lambda conn: conn.execute(unknown).fetchone()[0]) == 10
        late = [(Signer().withdraw(world.clock.wall), None) for _ in range(40)]
        assert 0 < await pushed(daemon, MALLORY, *late) <= 10, "any of them stay"
        assert await pushed(daemon, MALLORY, (alice.withdraw(world.clock.wall), None)) == 1


def test_the_fullest_groups_are_cut_down_to_one_level() -> None:
    assert water_level([50, 3, 2], 10) == 40
    assert water_level([50, 45, 2], 15) == 40
    assert water_level([4, 4, 4], 3) == 3
    assert water_level([], 3) == 1


def notices(peer: PeerIdentity, now: int, count: int) -> list[tuple[Signed[Notice], None]]:
    """Notices of one peer about nobody."""
    made = []
    for _ in range(count):
        record = Notice(peer.peer, secrets.token_bytes(16), (secrets.token_bytes(8),), now, now + DAY_MS)
        made.append((seal(record, peer.sign), None))
    return made


async def test_a_full_board_of_notices_makes_room_for_those_who_have_few(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(notices=100)) as world:
        daemon = await world.daemon()
        for _ in range(3):
            mallory = PeerIdentity(secrets.token_bytes(32))
            await daemon.service.traffic.on_ask(MALLORY, push_of(*notices(mallory, world.clock.wall, 50)))
        alice = PeerIdentity(secrets.token_bytes(32))
        await daemon.service.traffic.on_ask(MALLORY, push_of(*notices(alice, world.clock.wall, 2)))
        await daemon.service.traffic.on_ask(MALLORY, push_of(*notices(mallory, world.clock.wall, 10)))
        assert daemon.lines(kind=4) <= 100
        assert sum(notice.record.peer == alice.peer for notice in daemon.service._reads.notices()) == 2


async def test_node_records_of_one_range_do_not_fill_the_board(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(nodes_per_net=5, nodes=20)) as world:
        daemon = await world.daemon()
        for net in range(6):
            flood = []
            for host in range(10):
                peer = PeerIdentity(secrets.token_bytes(32))
                record = Node(
                    peer.peer, address(net, host), ("directory",), world.clock.wall, world.clock.wall + DAY_MS
                )
                flood.append((seal(record, peer.sign), None))
            await daemon.service.traffic.on_ask(MALLORY, push_of(*flood))
        assert daemon.lines(kind=3) <= 20
        own = daemon.store.read(lambda conn: conn.execute("SELECT peer FROM directory_log WHERE kind = 3").fetchall())
        assert (daemon.identity.peer,) in own


async def test_a_peer_that_pushes_without_end_is_put_off(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(pushed=10)) as world:
        daemon = await world.daemon()
        assert await pushed(daemon, MALLORY, *(Signer().advertise(world.clock.wall) for _ in range(10))) == 10
        answer = open_answer(
            await daemon.service.traffic.on_ask(MALLORY, push_of(Signer().advertise(world.clock.wall)))
        )
        assert isinstance(answer, Busy)
        other = PeerIdentity(secrets.token_bytes(32)).peer
        assert await pushed(daemon, other, Signer().advertise(world.clock.wall)) == 1


async def test_entries_that_name_a_peer_take_none_of_its_seats(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(halves_per_peer=3)) as world:
        daemon, alice = await world.daemon(), Signer()
        signed, entry = alice.advertise(world.clock.wall)
        for _ in range(10):
            mallory = Signer()
            record = Entry(
                mallory.scheme,
                mallory.pubkey,
                alice.identity.peer,
                ("swap",),
                world.clock.wall,
                world.clock.wall + DAY_MS,
                secrets.token_bytes(32),
            )
            await daemon.service.traffic.on_ask(MALLORY, push_of((seal(record, mallory.sign), None)))
        assert await pushed(daemon, MALLORY, (signed, None)) == 0
        assert await pushed(daemon, MALLORY, (entry, None)) == 1


async def test_pinned_keys_have_no_quota_and_are_never_evicted(tmp_path: Path) -> None:
    crowd = PeerIdentity(secrets.token_bytes(32))
    pinned = Signer(peer=crowd)
    limits = DiscoveryLimits(advertisements=6, advertisements_per_peer=3, pinned_keys=frozenset({pinned.pubkey}))
    async with a_world(tmp_path, limits) as world:
        daemon = await world.daemon()
        assert await pushed(daemon, MALLORY, *(Signer(peer=crowd).advertise(world.clock.wall) for _ in range(5))) == 3
        assert await pushed(daemon, MALLORY, pinned.advertise(world.clock.wall)) == 1
        for _ in range(5):
            await pushed(daemon, MALLORY, *(Signer().advertise(world.clock.wall) for _ in range(5)))
        assert daemon.lines() <= 6
        assert pinned.pubkey.hex() in await daemon.found()


async def test_those_with_whom_a_request_is_about_to_be_signed_are_never_evicted(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements=5)) as world:
        daemon, partner, named = await world.daemon(), Signer(), Signer()
        await pushed(daemon, MALLORY, partner.advertise(world.clock.wall), named.advertise(world.clock.wall))
        await daemon.store.write(lambda conn: requests_of(conn, joined=partner.pubkey, stranger=named.pubkey))
        for _ in range(12):
            await pushed(daemon, MALLORY, *(Signer().advertise(world.clock.wall) for _ in range(4)))
        assert partner.pubkey.hex() in await daemon.found()
        await daemon.store.write(lambda conn: conn.execute("UPDATE signing_requests SET settled = 1"))
        assert daemon.store.read(keys_about_to_sign) == []


def requests_of(conn: sqlite3.Connection, *, joined: bytes, stranger: bytes) -> None:
    """Store two requests as signing does: one that an own key has joined, and one that has only arrived."""
    for request, key in ((b"j" * 32, joined), (b"s" * 32, stranger)):
        conn.execute(
            "INSERT INTO signing_requests (request, scheme, envelope, creator, expires, received, outcome)"
            " VALUES (?, 'lotus', x'', x'', 0, 0, 'open')",
            (request,),
        )
        conn.execute("INSERT INTO signing_keys (request, position, key, own) VALUES (?, 0, ?, 0)", (request, key))
    conn.execute(
        "INSERT INTO signing_joins (request, attempt, position, own, peer, envelope) VALUES (?, 1, 1, 1, x'', x'')",
        (b"j" * 32,),
    )


async def test_asking_for_statements_that_are_not_there_is_paid_for_too(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(served_bytes=20_000)) as world:
        daemon, question = await world.daemon(), encode_ask(FetchIds(secrets.token_bytes(4_096)))
        assert isinstance(open_answer(await daemon.service.traffic.on_ask(MALLORY, question)), Statements)
        assert isinstance(open_answer(await daemon.service.traffic.on_ask(MALLORY, question)), Busy)


async def test_a_range_that_others_filled_with_made_up_peers_is_open_to_who_lives_there(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements_per_net=20)) as world:
        daemon, alice = await world.daemon(), Signer()
        for _ in range(2):
            mallory = PeerIdentity(secrets.token_bytes(32))
            flood = [Signer(peer=mallory).advertise(world.clock.wall, addrs=address(7, 1)) for _ in range(10)]
            await pushed(daemon, MALLORY, *flood)
        assert await pushed(daemon, MALLORY, alice.advertise(world.clock.wall, addrs=address(7, 2))) == 1
        assert alice.pubkey.hex() in await daemon.found()
        assert daemon.lines() == 20


async def test_withdrawals_of_one_key_have_a_live_limit_but_never_the_first(tmp_path: Path) -> None:
    limits = DiscoveryLimits()
    screen, alice, now = Screen(limits), Signer(), 1_760_000_000_000
    for ts in range(20):
        screen.lets_in(Statement(*alice.advertise(now + ts)), now)
    withdrawals = [Statement(alice.withdraw(now + ts)) for ts in range(30)]
    refused = [not screen.lets_in(withdrawal, now) for withdrawal in withdrawals]
    assert refused == [False] * limits.live_withdrawals + [True] * (30 - limits.live_withdrawals)
