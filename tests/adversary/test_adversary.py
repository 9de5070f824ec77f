"""A small, fixed part of the attacks: while they go on, an honest pair signs and the victim lives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.adversary.attacks import modules
from tests.adversary.honest import NEVER, Pair
from tests.adversary.measure import attackers, scene

pytestmark = pytest.mark.network

SEED = 1
ATTACKS = (
    *("strange_frames", "replayed_frames", "dht_records", "slow_streams"),
    *("ping_floods", "one_byte_frames", "endless_headers"),  # over WebSockets
)
SIGNATURES = 3
DEADLINE_S = 120


def test_each_attack_has_a_file_with_its_name() -> None:
    assert set(ATTACKS) < set(modules())
    assert len(modules()) > 20


async def test_the_honest_pair_signs_and_the_victim_lives_while_strangers_attack(tmp_path: Path) -> None:
    async with asyncio.timeout(DEADLINE_S), scene(tmp_path, websocket=True) as stage:
        pair = Pair(stage.wallets)
        await pair.sign()
        async with attackers(",".join(ATTACKS), stage.target, len(ATTACKS), SEED) as hostile:
            await hostile.prepared()
            hostile.begin()
            await hostile.busy()
            took = [await pair.sign() for _ in range(SIGNATURES)]
        took.append(await pair.sign())

        assert stage.alive
        assert NEVER not in took
        assert hostile.counted["identities"] >= len(ATTACKS)
