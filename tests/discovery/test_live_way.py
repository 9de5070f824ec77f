"""An advertisement is put to each check once between the gate and the disk, whichever ways it comes by."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from daemon.discovery.directory.log import LogWrite
from daemon.discovery.intake import take_in
from daemon.discovery.intake.checks import Screen
from musig2.protocol.records import checks
from musig2.protocol.wire.sync import Taken, open_answer
from p2p.network import GossipItem
from tests.discovery.discovery_world import Signer, World, push_of, until

PARTS: tuple[tuple[Any, str], ...] = (
    (checks, "check_record"),
    (take_in, "stored_ids"),
    (take_in, "check_many"),
    (Screen, "passes"),
    (Screen, "lets_in"),
    (LogWrite, "admit"),
    (take_in, "tell"),
)


def counted(patch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each part of the way is entered from now on."""
    entered: Counter[str] = Counter()

    def counting(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **named: Any) -> Any:
            entered[name] += 1
            return part(*args, **named)

        return count

    for owner, name in PARTS:
        patch.setattr(owner, name, counting(name, getattr(owner, name)))
    return entered


async def test_a_checked_advertisement_is_looked_up_admitted_stored_and_announced_once_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, sender = await world.daemon(), bytes(38)
    await daemon.follow("spend")
    advertisement, entry = Signer().advertise(world.clock.wall)
    entered = counted(monkeypatch)
    daemon.service.inbox.put([GossipItem("topic", sender, advertisement), GossipItem("topic", sender, entry)])
    await until(lambda: daemon.named("signer:discovered"))
    assert entered == {"stored_ids": 1, "lets_in": 1, "admit": 1, "tell": 1}


async def test_a_copy_over_another_topic_ends_at_the_look_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon, sender = await world.daemon(), bytes(38)
    advertisement, entry = Signer().advertise(world.clock.wall)
    items = [GossipItem("topic", sender, advertisement), GossipItem("topic", sender, entry)]
    daemon.service.inbox.put(items)
    await until(daemon.lines)
    entered = counted(monkeypatch)
    daemon.service.inbox.put(items)
    await until(lambda: entered["stored_ids"])
    assert entered == {"stored_ids": 1}


async def test_push_of_what_another_way_is_storing_is_answered_when_it_is_on_the_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon, alice = await world.daemon(), Signer()
    statement = alice.advertise(world.clock.wall)
    write, begun, disk = daemon.store.write, asyncio.Event(), asyncio.Event()

    async def slow_write(fn: Any) -> Any:
        begun.set()
        await disk.wait()
        return await write(fn)

    async def found_when_answered(peer: bytes) -> set[str]:
        answer = open_answer(await daemon.service.traffic.on_ask(peer, push_of(statement)))
        assert answer == Taken(1)
        return await daemon.found()

    monkeypatch.setattr(daemon.store, "write", slow_write)
    first = asyncio.ensure_future(found_when_answered(bytes(38)))
    await begun.wait()
    second = asyncio.ensure_future(found_when_answered(bytes([1]) + bytes(37)))
    for _ in range(100):
        await asyncio.sleep(0)
    disk.set()
    assert await first == await second == {alice.pubkey.hex()}
