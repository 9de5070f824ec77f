"""Budgets are charged with the partial signature, and once, whatever happens at the same time or again."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from daemon.audit.log import lines_after
from daemon.clock import SystemClock
from daemon.policy.spent import DAY_MS
from daemon.signing.owner import rounds
from musig2.protocol.records.records import Message, PartialBody
from musig2.protocol.wire.frames import Frame, Signed
from rpc.errors import ApiError
from tests.signing.memory_net import LONGEST_S
from tests.signing.policy.test_policy_flow import explained, pay, two
from tests.signing.signing_world import Daemon, World, join, signatures

BUDGET = """
[[rule]]
name = "daily"
verdict = "join"
per_day = {amount = 10_000, count = 4}
"""


def charges(daemon: Daemon) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(daemon.folder / "musigd.db")) as conn:
        return conn.execute("SELECT budget, amount FROM policy_charges ORDER BY at_ms").fetchall()


def partial_in(frame: Frame) -> bool:
    match frame:
        case Signed(record=Message(body=PartialBody())):
            return True
        case _:
            return False


async def settled(daemon: Daemon, request: str) -> str:
    """`signed`, or `waits` if the policy left it to its owner, before the join or before the partial signatures."""
    await daemon.until("signing-request:received", requestId=request)
    view = await daemon.call("getSigningRequest", requestId=request)
    if not any(each["own"] and each["joined"] for each in view["signers"]):
        return "waits"
    async with asyncio.timeout(LONGEST_S):
        while True:
            told = [event for event in daemon.told() if event.data.get("requestId") == request]
            if any(event.event == "signature:finalized" for event in told):
                return "signed"
            if any("policy" in (event.data.get("reason"), event.data.get("code")) for event in told):
                return "waits"
            await daemon.events.wait(daemon.events.next_seq)


async def test_a_budget_is_charged_when_it_is_signed_and_then_asks(world: World) -> None:
    signers = await two(world, BUDGET)
    for amount in (6_000, 4_000):
        await signatures(signers[0], await pay(signers, amount, 100))
    assert charges(signers[1]) == [("daily", 6_000), ("daily", 4_000)]
    request = await pay(signers, 1_000, 100)
    assert await settled(signers[1], request) == "waits"
    told = await explained(signers[1], request)
    (weighed,) = [each for each in told["weighed"] if each["member"] == "per_day"]
    assert (weighed["value"], weighed["holds"]) == ({"amount": 10_000, "count": 2}, False)


async def test_parallel_requests_share_one_budget(world: World) -> None:
    signers = await two(world, BUDGET)
    requests = await asyncio.gather(*(pay(signers, 3_000, 100) for _ in range(8)))
    ends = [await settled(signers[1], request) for request in requests]
    assert sorted(ends) == ["signed"] * 3 + ["waits"] * 5
    assert sum(amount for _, amount in charges(signers[1])) == 9_000


async def test_an_approved_request_costs_no_budget_of_a_rule_that_joins(world: World) -> None:
    signers = await two(world, BUDGET)
    request = await pay(signers, 20_000, 100)
    await join(signers[1], request)
    await signatures(signers[0], request)
    assert charges(signers[1]) == [("", 20_000)]
    assert await settled(signers[1], await pay(signers, 10_000, 100)) == "signed"


async def test_a_request_that_ends_unsigned_releases_its_reservation(world: World) -> None:
    signers = [*await two(world, BUDGET), await world.add()]
    request = await pay(signers, 10_000, 100)
    await signers[1].until("session:joined", requestId=request)
    other = await pay(signers[:2], 10_000, 100)
    assert await settled(signers[1], other) == "waits"
    await signers[0].call("cancelSigningRequest", requestId=request)
    await signers[1].until("signing-request:cancelled", requestId=request)
    signers[1].service.sweeper.sweep()
    await signers[1].until("signature:finalized", requestId=other)
    assert charges(signers[1]) == [("daily", 10_000)]


async def test_attempts_of_one_request_cost_once(world: World) -> None:
    signers = [*await two(world, BUDGET), await world.add()]
    request = await pay(signers, 8_000, 100)
    await signers[1].until("session:joined", requestId=request)
    await join(signers[2], request)
    await signatures(signers[1], request)
    await signers[1].stop()
    await signers[1].start()
    for daemon in signers[1:]:
        world.hub.connect(daemon.peer, signers[0].peer)
    assert charges(signers[1]) == [("daily", 8_000)]
    again = await pay(signers[:2], 3_000, 100)
    assert await settled(signers[1], again) == "waits"


async def test_no_signature_leaves_without_its_charge_when_a_commit_fails(world: World) -> None:
    signers = await two(world, BUDGET)
    refuse = "CREATE TRIGGER full BEFORE INSERT ON policy_charges BEGIN SELECT RAISE(ABORT, 'full'); END"
    await signers[1].store.write(lambda conn: conn.execute(refuse))
    request = await pay(signers, 9_000, 100)
    await signers[1].until("session:ready", requestId=request)
    await signers[1].service.engine.turned()
    assert (charges(signers[1]), signers[1].told("signature:finalized")) == ([], [])
    await signers[1].store.write(lambda conn: conn.execute("DROP TRIGGER full"))
    await signers[1].until("signature:finalized", requestId=request)
    assert charges(signers[1]) == [("daily", 9_000)]
    assert await settled(signers[1], await pay(signers, 1_001, 100)) == "waits"
    assert await settled(signers[1], await pay(signers, 1_000, 100)) == "signed"


async def test_a_key_that_the_policy_joined_joins_again_when_its_partial_signature_could_not_be_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The partial signature of the other comes late, so this attempt ends, and nobody else would join again."""
    monkeypatch.setattr(rounds, "AGAIN_S", 0.01)
    signers = await two(world, BUDGET)
    refuse = "CREATE TRIGGER full BEFORE INSERT ON policy_charges BEGIN SELECT RAISE(ABORT, 'full'); END"
    await signers[1].store.write(lambda conn: conn.execute(refuse))
    world.hub.lose = lambda sender, frame: sender == signers[0].peer and partial_in(frame)
    request = await pay(signers, 9_000, 100)
    aborted = await signers[1].until("session:aborted", requestId=request)
    assert (aborted.data["reason"], charges(signers[1])) == ("store_failed", [])
    await signers[1].store.write(lambda conn: conn.execute("DROP TRIGGER full"))
    world.hub.lose = None
    signed = await signers[1].until("signature:finalized", requestId=request)
    assert signed.data["attempt"] > 1
    assert charges(signers[1]) == [("daily", 9_000)]


class Jumping(SystemClock):
    """A wall clock that a test sets."""

    offset_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.offset_ms


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_the_order_restarts_and_clock_jumps_no_more_is_signed_than_the_budget(
    make_world: Callable[..., World], seed: int
) -> None:
    dice = random.Random(seed)
    world = make_world()
    signers = await two(world, BUDGET)
    daemon = signers[1]
    asked: list[str] = []
    for _ in range(dice.randrange(3, 6)):
        burst = await asyncio.gather(
            *(pay(signers, dice.choice([500, 2_500, 4_000, 10_001]), 100) for _ in range(dice.randrange(1, 5)))
        )
        asked += burst
        match dice.randrange(3):
            case 0:
                await daemon.stop()
                away = Jumping()
                away.offset_ms = dice.choice([-400, -1, 0, 2, 400]) * DAY_MS
                around = partial(Daemon.around_policy, daemon)
                daemon.around_policy = lambda around=around, away=away: replace(around(), clock=away)  # type: ignore[method-assign]  # moved
                await daemon.start()
                world.hub.connect(daemon.peer, signers[0].peer)
            case 1:
                clock = Jumping()
                clock.offset_ms = dice.choice([-2, -1, 1, 2]) * DAY_MS
                daemon.policy._around = replace(daemon.around_policy(), clock=clock)
            case _:
                for request in burst:
                    await daemon.until("signing-request:received", requestId=request)
    for request in asked:
        await settled(daemon, request)
    amounts = [amount for budget, amount in charges(daemon) if budget == "daily"]
    assert sum(amounts) <= 10_000
    assert len(amounts) <= 4
    signed = {event.data["requestId"] for event in daemon.told("signature:finalized")}
    assert len(signed) == len(amounts)


async def test_joins_that_are_repeated_or_made_at_once_cost_once_and_are_on_record_once(world: World) -> None:
    one, other = await world.add(), await world.add(rules=BUDGET)
    request = await pay([one, other], 4_000, 100)
    named = {"requestId": request, "publicKey": other.key.hex()}
    await other.until("signing-request:received", requestId=request)
    for calls in (5, 2):
        answers = await asyncio.gather(
            *(other.call("joinSigningRequest", **named) for _ in range(calls)), return_exceptions=True
        )
        assert [each for each in answers if not isinstance(each, dict | ApiError)] == []
        await other.until("signature:finalized", requestId=request)
    assert charges(other) == [("daily", 4_000)]
    kinds = [json.loads(line.body)["what"] for line in other.store.read(lambda conn: list(lines_after(conn, 0)))]
    assert [kinds.count(what) for what in ("signing-request:joined", "partial", "signature:finalized")] == [1, 1, 1]


async def full_at(daemon: Daemon, table: str, when: str = "") -> None:
    """From now on nothing fits into that table; `DROP TRIGGER full` makes room."""
    refuse = f"CREATE TRIGGER full BEFORE INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'full'); END"
    await daemon.store.write(lambda conn: conn.execute(refuse))


async def room_again(daemon: Daemon) -> None:
    await daemon.store.write(lambda conn: conn.execute("DROP TRIGGER full"))


async def test_an_own_request_that_could_not_be_stored_costs_nothing(world: World) -> None:
    one, other = await world.add(rules=BUDGET), await world.add()
    await full_at(one, "signing_requests")
    with pytest.raises(ApiError, match="stored"):
        await pay([one, other], 10_000, 100)
    await room_again(one)
    request = await pay([one, other], 10_000, 100)
    await join(other, request)
    assert len(await signatures(one, request)) == 1


async def test_a_join_by_itself_that_could_not_be_stored_is_made_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "AGAIN_S", 0.01)
    signers = await two(world, "")
    request = await pay(signers, 1_000, 100)
    await signers[1].until("approval:needed", requestId=request)
    await full_at(signers[1], "signing_joins", "WHEN NEW.own = 1")
    signers[1].write_policy('[[rule]]\nname = "all"\nverdict = "join"\nmax_amount = 10_000\n')
    await signers[1].policy.reload()
    await signers[1].service.engine.turned()
    assert not signers[1].told("session:joined")
    await room_again(signers[1])
    assert len(await signatures(signers[0], request)) == 1
