"""kill -9 between the check of a budget and its charge: nothing is lost of it, and nothing counted twice.

`MUSIGD_KILLS=200 pytest tests/signing/crash/test_kill_policy.py` is the nightly run.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import product
from pathlib import Path

import pytest

from tests.signing.crash.crash_parent import Died, RemoteDaemon
from tests.signing.policy.payments import paying
from tests.signing.signing_world import Daemon, World, signatures

pytestmark = pytest.mark.network

KILLS = int(os.environ.get("MUSIGD_KILLS", "2"))
POINTS = ("before_save", "after_save", "before_send", "after_send", "after_tell")
RULES = '[[rule]]\nname = "daily"\nverdict = "join"\nper_day = {amount = 10_000, count = 4}\n'


async def victim_of(world: World, *crash_at: str) -> RemoteDaemon:
    """A daemon with a budget for 10 000 satoshis a day."""
    victim = RemoteDaemon(world, "victim", "lotus")
    (victim.folder / "data").mkdir()
    (victim.folder / "data" / "policy.toml").write_text(RULES)
    await victim.start(*crash_at)
    return victim


async def pay(creator: Daemon, victim: RemoteDaemon, amount: int) -> str:
    keys = [creator.key, victim.key]
    params = paying("lotus", keys, amount, 100)
    asked = await creator.call(
        "announceSigningRequest",
        publicKey=creator.key.hex(),
        requiredPublicKeys=[key.hex() for key in keys],
        **params,
    )
    return str(asked["requestId"])


def books(victim: RemoteDaemon) -> tuple[dict[str, int], set[str]]:
    """What was charged, and for which requests partial signatures are stored: the same, or the books are wrong."""
    with closing(sqlite3.connect(Path(victim.folder, "data", "musigd.db"))) as conn:
        charged = {
            request.hex(): amount for request, amount in conn.execute("SELECT request, amount FROM policy_charges")
        }
        released = conn.execute("SELECT DISTINCT request FROM signing_sessions WHERE partial_released = 1")
        return charged, {request.hex() for (request,) in released}


@pytest.mark.parametrize("point", POINTS)
async def test_a_partial_signature_and_its_charge_are_stored_together_or_not_at_all(
    make_world: Callable[..., World], point: str
) -> None:
    world = make_world()
    creator, victim = await world.add("lotus"), await victim_of(world, point, "partial")
    request = await pay(creator, victim, 7_000)
    await victim.died()
    charged, released = books(victim)
    assert set(charged) == released
    assert set(charged) == (set() if point == "before_save" else {request})
    await victim.start()
    assert len(await signatures(creator, request)) == 1
    assert books(victim) == ({request: 7_000}, {request})
    over = await pay(creator, victim, 3_001)
    await victim.call("until", event="signing-request:received", requestId=over)
    told = await victim.call("explainPolicy", requestId=over, publicKey=victim.key.hex())
    assert told["verdict"] == "ask"


@pytest.mark.parametrize("seed", range(KILLS))
async def test_killed_anywhere_in_a_burst_the_budget_is_neither_lost_nor_doubled(
    make_world: Callable[..., World], seed: int
) -> None:
    dice = random.Random(seed)
    world = make_world()
    point, kind = dice.choice(list(product(POINTS, ("join", "nonce", "partial"))))
    creator, victim = await world.add("lotus"), await victim_of(world, point, kind)
    asked = []
    with suppress(Died):
        for _ in range(6):
            asked.append(await pay(creator, victim, dice.choice([2_500, 4_000])))
    await victim.died()
    charged, released = books(victim)
    assert set(charged) == released
    assert sum(charged.values()) <= 10_000
    await victim.start()
    for request in asked:
        await victim.call("until", event="signing-request:received", requestId=request)
        view = await victim.call("getSigningRequest", requestId=request)
        if any(each["own"] and each["joined"] for each in view["signers"]):
            await signatures(creator, request)
    charged, released = books(victim)
    assert set(charged) == released
    assert sum(charged.values()) <= 10_000
    assert len(charged) <= 4
