"""Damage to the stored log is found, dropped, and repaired from the peers."""

from __future__ import annotations

import sqlite3

import pytest

from tests.discovery.discovery_world import Daemon, Signer, World, push_of, until


async def spoil(daemon: Daemon, column: str) -> None:
    """Flip a byte in one stored line, as a bad disk would."""

    def write(conn: sqlite3.Connection) -> None:
        seq, value = conn.execute(f"SELECT seq, {column} FROM directory_log WHERE kind = 1 LIMIT 1").fetchone()
        spoiled = value[:-1] + bytes([value[-1] ^ 1])
        conn.execute(f"UPDATE directory_log SET {column} = ? WHERE seq = ?", (spoiled, seq))

    await daemon.store.write(write)


@pytest.mark.parametrize("column", ["record", "entry", "view", "id"])
async def test_damage_is_found_on_read_and_the_line_is_fetched_again(world: World, column: str) -> None:
    alice = await world.daemon()
    await alice.service.traffic.on_ask(bytes(38), push_of(*(Signer().advertise(world.clock.wall) for _ in range(10))))
    bob = await world.daemon(alice)
    await until(lambda: bob.lines() == 10)
    await until(lambda: not bob.service._rounds._running)
    await spoil(bob, column)
    assert len(await bob.found()) == 9
    assert await bob.service._damage.mend()
    assert bob.lines() == 9
    world.clock.forward(10_000)
    bob.service._rounds.compare_soon()
    await until(lambda: bob.lines() == 10)
    assert len(await bob.found()) == 10


async def test_damage_is_found_at_start(world: World) -> None:
    alice = await world.daemon()
    await alice.service.traffic.on_ask(bytes(38), push_of(*(Signer().advertise(world.clock.wall) for _ in range(3))))
    await spoil(alice, "record")
    alice = await world.again(alice)
    await until(lambda: alice.lines() == 2)
    assert len(await alice.found()) == 2


async def test_damaged_lines_are_not_served(world: World) -> None:
    alice = await world.daemon()
    await alice.service.traffic.on_ask(bytes(38), push_of(*(Signer().advertise(world.clock.wall) for _ in range(3))))
    await spoil(alice, "record")
    bob = await world.daemon(alice)
    await until(lambda: bob.lines() == 2)
    assert bob.net.faults == []
