"""Directories that differ are synchronised at little cost, whatever the other side answers."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from daemon.discovery.intake import take_in as ingest
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.sync.conversation import End, Report
from musig2.protocol.records.envelope import check_many, seal
from musig2.protocol.records.records import Notice, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import (
    Answer,
    Ask,
    Busy,
    Differences,
    FetchIds,
    Greeting,
    Hello,
    LogPage,
    Reconcile,
    Statements,
    encode_answer,
    encode_ask,
    open_ask,
)
from p2p.network import Direction, Offence, PeerInfo, Work
from tests.discovery.discovery_world import DAY_MS, Daemon, Signer, World, a_world, push_of, until

LOG = bytes(16)


async def fill(daemon: Daemon, signers: list[Signer]) -> None:
    """Give a daemon advertisements of these."""
    now = daemon.clock.wall_ms()
    for start in range(0, len(signers), 100):
        await daemon.service.traffic.on_ask(
            bytes(38), push_of(*(signer.advertise(now) for signer in signers[start : start + 100]))
        )


async def pull(daemon: Daemon, other: Daemon, *, compare: bool = False) -> Report:
    """Read the other's log to the end."""
    return await daemon.service._rounds.pull(other.identity.peer, compare=compare)


async def idle(world: World) -> None:
    """Wait until everything that runs has ended."""
    await until(lambda: not any(daemon.service._rounds._running for daemon in world.daemons))


async def test_two_directories_that_differ_in_ten_come_into_step_for_little(world: World) -> None:
    common = [Signer().advertise(world.clock.wall) for _ in range(300)]
    alice, bob = await world.daemon(), await world.daemon()
    for daemon in (alice, bob):
        for start in range(0, 300, 100):
            await daemon.service.traffic.on_ask(bytes(38), push_of(*common[start : start + 100]))
        await fill(daemon, [Signer() for _ in range(5)])
    world.wire.link(alice.net, bob.net)
    await until(lambda: alice.lines() == bob.lines() == 310)
    await idle(world)
    assert world.wire.bytes_asked + world.wire.bytes_answered < 32 * 1024
    assert alice.service._buckets.sums(12) == bob.service._buckets.sums(12)


async def test_a_daemon_that_was_offline_catches_up_from_its_cursor(world: World) -> None:
    alice = await world.daemon()
    await fill(alice, [Signer() for _ in range(50)])
    bob = await world.daemon(alice)
    await until(lambda: bob.lines() == 50)
    await idle(world)
    world.wire.cut(alice.net, bob.net)
    await fill(alice, [Signer() for _ in range(3)])
    before = world.wire.bytes_answered
    bob = await world.again(bob, alice)
    await until(lambda: bob.lines() == 53)
    await idle(world)
    assert world.wire.bytes_answered - before < 8_000


async def test_a_withdrawal_reaches_daemons_that_were_offline(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    key = alice.keys.create()
    await alice.advertise(key)
    await until(lambda: bob.lines() == 1)
    world.wire.cut(alice.net, bob.net)
    await alice.withdraw(key)
    assert await bob.found() == {key.hex()}
    world.wire.link(bob.net, alice.net)
    await until(lambda: bob.lines() == 0)
    assert await bob.found() == set()


async def test_a_restored_peer_begins_another_log_and_is_read_anew(world: World) -> None:
    alice = await world.daemon()
    await fill(alice, [Signer() for _ in range(5)])
    bob = await world.daemon(alice)
    await until(lambda: bob.lines() == 5)
    await idle(world)
    alice.events.log_id = "another"
    await fill(alice, [Signer()])
    await pull(bob, alice)
    assert bob.lines() == 6


async def test_a_notice_reaches_a_signer_that_was_offline(world: World) -> None:
    alice = await world.daemon()
    now = world.clock.wall
    notice = Notice(alice.identity.peer, secrets.token_bytes(16), (secrets.token_bytes(8),), now, now + DAY_MS)
    signed = seal(notice, alice.identity.sign)
    await alice.service.signers.publish_notice(signed)
    bob = await world.daemon(alice)
    await until(lambda: bob.notices)
    assert bob.notices == [signed]
    bob = await world.again(bob)
    assert bob.notices == [signed]


async def test_refresh_asks_the_peers_before_it_answers(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await idle(world)
    signer = Signer()
    await fill(alice, [signer])
    assert await bob.found() == set()
    world.clock.forward(10_000)
    assert await bob.found(refresh=True) == {signer.pubkey.hex()}


# Peers that cheat: `answers` maps a question to what the cheat says.

Cheat = Callable[[Ask], Answer | bytes]


async def cheated(world: World, daemon: Daemon, cheat: Cheat) -> Report:
    """Pull from a peer that answers like this."""
    other = await world.daemon()

    async def answer(_: bytes, payload: bytes) -> bytes:
        said = cheat(open_ask(payload))
        return said if isinstance(said, bytes) else encode_answer(said)

    other.net.answer = answer
    world.wire.link(other.net, daemon.net)
    return await pull(daemon, other)


def greeting(head: int, size: int) -> Greeting:
    return Greeting(LOG, head, size, 1)


async def test_a_peer_that_serves_forged_advertisements_is_given_up_and_reported(world: World) -> None:
    daemon, victim = await world.daemon(), Signer()
    signed, entry = victim.advertise(world.clock.wall)
    broken = signed.envelope[:-1] + bytes([signed.envelope[-1] ^ 1])

    def cheat(ask: Ask) -> Answer:
        items = tuple([(broken, entry.envelope)] * 50)
        return greeting(100, 100) if isinstance(ask, Hello) else Statements(LOG, 100, 50, items)

    report = await cheated(world, daemon, cheat)
    assert report.end is End.RUBBISH
    assert daemon.lines() == 0
    assert [kind for _, kind in daemon.net.faults].count(Offence.BAD_SIGNATURE) >= 10


async def test_a_peer_that_serves_the_same_page_for_ever_is_given_up(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(sync_waste=100)) as world:
        daemon = await world.daemon()
        signed, entry = Signer().advertise(world.clock.wall)
        asked = 0

        def cheat(ask: Ask) -> Answer:
            nonlocal asked
            asked += 1
            if isinstance(ask, Hello):
                return greeting(1_000_000, 1_000_000)
            return Statements(LOG, 1_000_000, asked, tuple([(signed.envelope, entry.envelope)] * 50))

        report = await cheated(world, daemon, cheat)
        assert report.end is End.BUDGET
        assert daemon.lines() == 1
        assert asked < 10


async def test_a_log_that_never_ends_and_holds_nothing_is_given_up(world: World) -> None:
    daemon = await world.daemon()
    asked = 0

    def cheat(ask: Ask) -> Answer:
        nonlocal asked
        asked += 1
        return greeting(10**9, 10**9) if isinstance(ask, Hello) else Statements(LOG, 10**9, asked, ())

    assert (await cheated(world, daemon, cheat)).end is End.BUDGET
    assert asked < 50


async def test_a_page_that_goes_backwards_is_rubbish(world: World) -> None:
    daemon = await world.daemon()
    positions = iter((9, 5))

    def cheat(ask: Ask) -> Answer:
        return greeting(10, 10) if isinstance(ask, Hello) else Statements(LOG, 10, next(positions), ())

    assert (await cheated(world, daemon, cheat)).end is End.RUBBISH


@pytest.mark.parametrize("said", [b"", b"\xff" * 100, bytes(500_000), encode_answer(Busy(1_000))])
async def test_rubbish_ends_a_pull(world: World, said: bytes) -> None:
    daemon = await world.daemon()
    report = await cheated(world, daemon, lambda _: said)
    assert report.end in (End.RUBBISH, End.BUSY)
    assert report.rounds == 1


async def test_a_peer_that_claims_statements_it_does_not_have_costs_two_questions(world: World) -> None:
    daemon = await world.daemon()
    await fill(daemon, [Signer() for _ in range(5)])

    def cheat(ask: Ask) -> Answer:
        match ask:
            case Hello():
                return greeting(7, 7)
            case Reconcile():
                return Differences(
                    tuple((bucket, bytes([bucket]) + secrets.token_bytes(7)) for bucket in range(200)), more=True
                )
            case FetchIds() | LogPage():
                return Statements(LOG, 7, 0, ())
            case _:
                return Busy(1)

    report = await cheated(world, daemon, cheat)
    assert report.end is End.IN_STEP
    assert report.rounds <= 4


@pytest.mark.parametrize("item", [(7, bytes([8]) * 8), (4_000, bytes(8))])
async def test_ids_in_a_bucket_where_they_do_not_belong_are_rubbish(world: World, item: tuple[int, bytes]) -> None:
    daemon = await world.daemon()

    def cheat(ask: Ask) -> Answer:
        return greeting(7, 7) if isinstance(ask, Hello) else Differences((item,), more=False)

    report = await cheated(world, daemon, cheat)
    assert report.end is End.RUBBISH
    assert daemon.net.faults


@pytest.mark.parametrize("bound", [{"sync_bytes": 5_000}, {"sync_rounds": 5}, {"sync_ms": 3_000}])
async def test_a_log_without_end_is_read_up_to_a_bound(tmp_path: Path, bound: dict[str, Any]) -> None:
    async with a_world(tmp_path, DiscoveryLimits(**bound)) as world:
        daemon, after = await world.daemon(), itertools.count(1)

        def cheat(ask: Ask) -> Answer:
            if isinstance(ask, Hello):
                return greeting(100_000, 100_000)
            world.clock.forward(1_000)
            signed, entry = Signer().advertise(world.clock.wall)
            return Statements(LOG, 100_000, next(after), ((signed.envelope, entry.envelope),))

        report = await cheated(world, daemon, cheat)
        assert report.end is (End.SLOW if "sync_ms" in bound else End.BUDGET)
        assert report.rounds <= 12


async def test_the_peers_that_are_asked_come_from_as_many_sources_as_there_are(world: World) -> None:
    crowd = [f"/ip4/80.1.1.{host}/tcp/4001" for host in range(1, 10)]
    others = ["/ip4/90.2.2.2/tcp/4001", "/ip4/100.3.3.3/tcp/4001"]
    peers = [PeerInfo(secrets.token_bytes(38), (text,), Direction.OUTBOUND, 0) for text in (*crowd, *others)]
    daemon = await world.daemon()
    daemon.net.peers = lambda: list(peers)  # type: ignore[method-assign] # as if these were connected
    for _ in range(20):
        chosen = daemon.service._rounds._choose(world.limits.sync_peers)
        assert len({info.multiaddrs[0].split(".")[0] for info in chosen}) == 3


async def test_a_burst_is_verified_off_the_event_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noted(records: Sequence[Signed[Record]]) -> list[bool]:
        threads.append(threading.current_thread())
        return check_many(records)

    monkeypatch.setattr(ingest, "check_many", noted)
    daemon = await world.daemon()
    threads.clear()
    await fill(daemon, [Signer() for _ in range(50)])
    assert daemon.lines() == 50
    assert threads
    assert threading.main_thread() not in threads


async def test_statements_that_one_peer_withholds_come_from_the_others(world: World) -> None:
    alice, bob = await world.daemon(), await world.daemon()
    signer = Signer()
    await fill(alice, [signer])

    def cheat(ask: Ask) -> Answer:
        match ask:
            case Hello():
                return greeting(1, 1)
            case Reconcile():
                return Differences((), more=False)
            case _:
                return Statements(LOG, 1, 1, ())

    await cheated(world, bob, cheat)
    assert bob.lines() == 0
    world.wire.link(bob.net, alice.net)
    await until(lambda: bob.lines() == 1)


async def test_a_question_that_cannot_be_decoded_counts_against_the_peer_that_asked(world: World) -> None:
    from p2p.network import BadAsk

    daemon = await world.daemon()
    for junk in (b"", b"\x00", secrets.token_bytes(10_000), bytes(10_000_000)):
        with pytest.raises(BadAsk):
            await daemon.service.traffic.on_ask(bytes(38), junk)
    assert daemon.lines() == 0


async def test_differing_buckets_are_charged_to_the_peer_that_compares(world: World) -> None:
    daemon, peer = await world.daemon(), bytes(38)
    await fill(daemon, [Signer()])
    sums = daemon.service._buckets.sums(8)
    for asked in (sums, bytes(len(sums))):
        await daemon.service.traffic.on_ask(peer, encode_ask(Reconcile(8, asked)))
    assert daemon.net.charged[peer, Work.BUCKET] == sum(any(sums[at : at + 8]) for at in range(0, len(sums), 8)) > 0


async def test_a_peer_that_asks_without_end_is_put_off(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(served_bytes=20_000)) as world:
        alice = await world.daemon()
        await fill(alice, [Signer() for _ in range(40)])
        bob = await world.daemon(alice)
        await until(lambda: bob.lines() == 40)
        await idle(world)
        world.clock.forward(2_000)
        assert (await pull(bob, alice, compare=True)).end is End.BUSY
        world.clock.forward(3_600_000)
        assert (await pull(bob, alice, compare=True)).end is End.IN_STEP
