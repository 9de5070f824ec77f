"""What lies outside a limit is never joined by itself: any rules, order, parallelism, attempts, failed commits, kills,
reloads and clocks, judged by a plain list of what was signed.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.clock import SinceBoot
from daemon.policy.facts import Facts, Output
from daemon.policy.judge import judge
from daemon.policy.policy import OwnerPolicy, PolicySurroundings
from daemon.policy.read import rules_of
from daemon.policy.rules import Ceiling, Decision, Rule, Ruling
from daemon.policy.spent import DAY_MS, HOUR_MS
from daemon.store.migrate import shipped_migrations
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed
from tests.daemon_ops.policy.policy_world import ALICE, BOB, EVE, GOOD, NOW_MS, SHOP

T = TypeVar("T")
KEY, OTHER = bytes.fromhex(GOOD.key), bytes.fromhex(BOB)
LIMITS = (
    "max_amount = 600",
    "min_amount = 100",
    "max_fee = 50",
    "max_fee_rate = 300",
    f'destinations = ["{SHOP}"]',
    'transaction_types = ["spend"]',
    f'creators = ["{ALICE}", "{BOB}"]',
    f'not_cosigners = ["{EVE}"]',
    "min_reputation = 40",
    'hours = ["08:00-18:00"]',
    'days = ["mon", "tue", "wed"]',
    "per_hour = {amount = 900, count = 3}",
    "per_day = {amount = 2_000, count = 5}",
    "per_creator_hour = {amount = 500}",
    "per_creator_day = {count = 2}",
)


@dataclass(slots=True)
class Done:
    """A signature that no owner had a hand in."""

    true_ms: int
    request: bytes
    budget: str
    creator: str
    amount: int


@dataclass
class Machine:
    """A policy that can be killed, its database, and the clocks around it."""

    dice: random.Random
    conn: sqlite3.Connection
    true_ms: int = 10 * DAY_MS
    wall_off_ms: int = NOW_MS
    believed: bool = True
    reputation: int | None = 100  # of everybody
    boot: str = "first"
    booted_ms: int = 0
    facts: dict[bytes, Facts] = field(default_factory=dict)
    joined: dict[bytes, Ruling] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    differing: list[tuple[Ruling, Ruling]] = field(default_factory=list)

    def wall_ms(self) -> int:
        return self.true_ms + self.wall_off_ms

    def mono_ms(self) -> int:
        return self.true_ms

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        return fn(self.conn)

    def start(self) -> None:
        """A new process on the same database; what was joined is reserved again, as the engine does it."""
        machine = self

        class Policy(OwnerPolicy):
            def ruling(self, signed: Signed[Request], key: bytes) -> Ruling:
                """Also that what is reused leads to the ruling that everything checked anew leads to."""
                found = super().ruling(signed, key)
                fresh = judge(self.rules, self.facts(signed, key), self._moment(signed))
                machine.differing += [] if found == fresh else [(found, fresh)]
                return found

            def _lasting(self, signed: Signed[Request], key: bytes) -> Facts:
                return machine.facts[signed.id]

            def _mismatch(self, signed: Signed[Request]) -> Ruling | None:
                return None

        around = PolicySurroundings(
            store=self,
            clock=self,
            network="main",
            reputation_of=lambda key: machine.reputation,
            clock_is_wrong=lambda: not machine.believed,
            steady=lambda: SinceBoot(self.boot, self.true_ms - self.booted_ms),
        )
        self.policy = Policy(around, Path("/nowhere/policy.toml"))
        self.policy.put_in_force(self.rules)
        self.policy.start()
        self.policy.keep_clock(self.conn)
        for request in list(self.joined):
            self.policy.reserve(self.signed(request), self.policy.ruling(self.signed(request), KEY))

    def sweep(self) -> None:
        if self.policy.clock_was_set():
            self.policy.keep_clock(self.conn)

    def reboot(self) -> None:
        """The machine is off for a while, and its clock may start in the past."""
        self.true_ms += self.dice.choice([60_000, HOUR_MS, DAY_MS])
        self.wall_off_ms -= self.dice.choice([0, 0, 5 * HOUR_MS, 2_000 * DAY_MS])
        self.boot, self.booted_ms = self.boot + "+", self.true_ms

    def signed(self, request: bytes) -> Signed[Request]:
        record = SimpleNamespace(creator=bytes.fromhex(self.facts[request].creator), keys=(KEY, OTHER))
        return Signed(cast(Request, record), request, b"")

    def write_rules(self) -> None:
        """Up to three rules that join, each with some limits."""
        text = "\n".join(
            f'[[rule]]\nname = "r{number}"\nverdict = "join"\n'
            + "\n".join(self.dice.sample(LIMITS, self.dice.randrange(1, 6)))
            for number in range(self.dice.randrange(1, 4))
        )
        self.rules = rules_of(text)

    def request(self) -> bytes:
        dice, name = self.dice, self.dice.randbytes(16)
        self.facts[name] = Facts(
            key=GOOD.key,
            creator=dice.choice([ALICE, BOB, EVE]),
            cosigners=tuple(dice.sample([ALICE, BOB, EVE], dice.randrange(1, 4))),
            transaction_type=dice.choice(["spend", "swap", None]),
            review=frozenset([dice.choice(["checked", "checked", "checked", "open", "text", "blind"])]),
            leaving=dice.choice([0, 99, 100, 300, 500, 600, 601, 900, None]),
            fee=dice.choice([0, 50, 51, None]),
            fee_rate=dice.choice([0, 300, 301]),
            outputs=(Output("51", dice.choice([SHOP, SHOP, "bc1qeve"]), 100, 0),),
            returned=(Output("52", "bc1qback", 50, 1),),
            transaction=dice.choice([None, None, None, b"shared", b"too"]),
        )
        return name

    def consider(self, request: bytes) -> None:
        ruling = self.policy.ruling(self.signed(request), KEY)
        if ruling.verdict is Decision.JOIN:
            self.policy.reserve(self.signed(request), ruling)
            self.joined[request] = ruling

    def sign(self, request: bytes, *, stored: bool) -> bool:
        """Judge again and store, or fail to; `broken` names the limits that what is stored does not keep."""
        signed = self.signed(request)
        ruling = self.policy.ruling(signed, KEY)
        if ruling.verdict is not Decision.JOIN or ruling.rule is None:
            return False
        write = self.policy.charge(signed, ruling)
        if not stored:
            self.policy.take_back(request, ruling)
            return False
        write(self.conn)
        self.broken += self.outside(ruling.rule, request)
        facts = self.facts[request]
        self.done = [each for each in self.done if (each.request, each.budget) != (request, ruling.rule.budget)]
        self.done.append(Done(self.true_ms, request, ruling.rule.budget, facts.creator, ruling.amount or 0))
        return True

    def outside(self, rule: Rule, request: bytes) -> Iterator[str]:
        """The limits of a rule that this request does not keep, by their definition."""
        facts, wall = self.facts[request], self.wall_ms()
        amount = self.amount(request)
        kept: dict[str, Callable[[Any], bool]] = {
            "review": lambda limit: facts.review <= set(limit),
            "max_amount": lambda limit: amount is not None and amount <= limit,
            "min_amount": lambda limit: amount is not None and amount >= limit,
            "max_fee": lambda limit: facts.fee is not None and facts.fee <= limit,
            "max_fee_rate": lambda limit: facts.fee_rate is not None and facts.fee_rate <= limit,
            "destinations": lambda limit: all(out.address in limit for out in facts.outputs or ()),
            "transaction_types": lambda limit: facts.transaction_type in limit,
            "creators": lambda limit: facts.creator in limit,
            "not_cosigners": lambda limit: not set(facts.cosigners) & set(limit),
            "min_reputation": lambda limit: (self.reputation or 0) >= limit,
            "hours": lambda limit: self.believed and 8 <= wall // HOUR_MS % 24 < 18,
            "days": lambda limit: self.believed and (wall // DAY_MS + 3) % 7 < 3,
            "per_hour": lambda limit: self.fits(limit, rule, request, HOUR_MS),
            "per_day": lambda limit: self.fits(limit, rule, request, DAY_MS),
            "per_creator_hour": lambda limit: self.fits(limit, rule, request, HOUR_MS, facts.creator),
            "per_creator_day": lambda limit: self.fits(limit, rule, request, DAY_MS, facts.creator),
        }
        yield from (each.member for each in rule.conditions if not kept[each.member](each.limit))

    def amount(self, request: bytes) -> int | None:
        """What leaves; what other requests count as coming back does not come back again."""
        facts = self.facts[request]
        if facts.transaction is None:
            return facts.leaving
        return replace(facts, taken=self.policy._taken(facts.transaction, request)).amount()

    def fits(self, limit: Ceiling, rule: Rule, request: bytes, span_ms: int, creator: str | None = None) -> bool:
        others = [
            each.amount
            for each in self.done
            if each.budget == rule.budget
            and each.request != request
            and each.true_ms > self.true_ms - span_ms
            and creator in (None, each.creator)
        ]
        amount = self.amount(request)
        if not self.believed or (limit.count is not None and len(others) >= limit.count):
            return False
        return limit.amount is None or (amount is not None and sum(others) + amount <= limit.amount)


def machine(dice: random.Random) -> Machine:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    for step in shipped_migrations():
        conn.executescript(step.sql)
    made = Machine(dice, conn)
    made.write_rules()
    made.start()
    return made


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_outside_a_limit_is_never_signed_by_itself(seed: int) -> None:
    dice = random.Random(seed)
    one = machine(dice)
    for _ in range(60):
        match dice.randrange(12):
            case 0 | 1 | 2:
                for request in [one.request() for _ in range(dice.randrange(1, 6))]:
                    one.consider(request)
            case 3 | 4 | 5:
                for request in dice.sample(list(one.joined), min(len(one.joined), dice.randrange(1, 4))):
                    one.sign(request, stored=dice.random() < 0.8)  # an attempt; others of the same request may follow
            case 6:
                for request in dice.sample(list(one.joined), min(len(one.joined), 2)):
                    one.policy.release(request)
                    del one.joined[request]
            case 7:
                one.true_ms += dice.choice([1, 60_000, HOUR_MS, 5 * HOUR_MS, DAY_MS])
            case 8:
                one.wall_off_ms += dice.choice([-30, -1, 1, 2, 400]) * DAY_MS + dice.randrange(DAY_MS)
                one.sweep()
            case 9:
                one.believed = not one.believed
                one.reputation = dice.choice([None, 39, 40, 100])
            case 10:
                if dice.random() < 0.4:
                    one.reboot()
                one.start()
            case _:
                one.write_rules()
                one.policy.put_in_force(one.rules)
        for request in dice.sample(list(one.facts), min(len(one.facts), 4)):
            one.policy.ruling(one.signed(request), KEY)
        assert one.broken == []
        assert one.differing == []
    one.conn.close()


@pytest.mark.parametrize("seed", range(3))
def test_the_property_is_not_empty_and_sees_a_budget_that_a_restart_gives_back(seed: int) -> None:
    one = machine(random.Random(seed))
    one.rules = rules_of('[[rule]]\nname = "r"\nverdict = "join"\nper_day = {count = 2}')
    one.start()
    good = {"review": frozenset({"checked"}), "leaving": 1}

    def signs() -> bool:
        request = one.request()
        one.facts[request] = replace(one.facts[request], **good)  # type: ignore[arg-type]  # by their names
        one.consider(request)
        return one.sign(request, stored=True)

    assert [signs() for _ in range(3)] == [True, True, False]
    one.wall_off_ms += 5 * DAY_MS
    one.start()
    assert not signs()
    one.true_ms += DAY_MS
    assert signs()
    one.conn.close()


def judged(one: Machine, request: bytes) -> Ruling:
    return one.policy.ruling(one.signed(request), KEY)


def under(rule: str) -> tuple[Machine, bytes, bytes]:
    """A machine with one rule that joins, and two requests of one satoshi."""
    one = machine(random.Random(0))
    one.rules = rules_of(f'[[rule]]\nname = "r"\nverdict = "join"\n{rule}')
    one.start()
    names = one.request(), one.request()
    for name in names:
        one.facts[name] = replace(one.facts[name], review=frozenset({"checked"}), leaving=1, transaction=None)
    return one, *names


def test_a_ruling_is_reused_while_only_its_own_request_changes() -> None:
    one, request, _ = under('per_hour = {count = 2}\nhours = ["00:00-24:00"]')
    found = judged(one, request)
    one.policy.reserve(one.signed(request), found)
    assert judged(one, request) is found
    assert one.sign(request, stored=True)
    assert judged(one, request) is found
    assert one.differing == []
    one.conn.close()


@pytest.mark.parametrize(
    ("rule", "change", "then"),
    [
        ("per_hour = {count = 1}", lambda one, other: one.consider(other), Decision.ASK),
        ('hours = ["12:00-12:01"]', lambda one, other: setattr(one, "true_ms", one.true_ms + 60_000), Decision.ASK),
        ('days = ["wed"]', lambda one, other: setattr(one, "true_ms", one.true_ms + DAY_MS), Decision.ASK),
        ("per_day = {count = 1}", lambda one, other: setattr(one, "believed", False), Decision.ASK),
        ("min_reputation = 50", lambda one, other: setattr(one, "reputation", 49), Decision.ASK),
        ("max_amount = 5", lambda one, other: one.policy.put_in_force(rules_of("")), Decision.ASK),
    ],
)
def test_a_ruling_is_not_reused_once_what_it_was_based_on_has_changed(
    rule: str, change: Callable[[Machine, bytes], None], then: Decision
) -> None:
    one, request, other = under(rule)
    one.true_ms, one.wall_off_ms = 10 * DAY_MS, NOW_MS - 10 * DAY_MS
    assert judged(one, request).verdict is Decision.JOIN
    change(one, other)
    assert judged(one, request).verdict is then
    assert one.differing == []
    one.conn.close()


def test_a_ruling_is_not_reused_once_a_charge_that_it_counted_runs_out() -> None:
    one, request, other = under("per_hour = {count = 1}")
    one.consider(other)
    assert one.sign(other, stored=True)
    assert judged(one, request).verdict is Decision.ASK
    one.true_ms += HOUR_MS
    assert judged(one, request).verdict is Decision.JOIN
    assert one.differing == []
    one.conn.close()
