"""The owner's policy while the daemon runs: the rules in force, what was spent, who approved.

Without a policy file nothing is joined automatically, and every join that a token asks for is made, as long as what is
shown is what is signed. With one, the rules decide on every join, every partial signature and every
own request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from daemon.clock import Clock, SinceBoot, since_boot
from daemon.errors import Refused
from daemon.host.slow_disk import off_loop
from daemon.policy import rows
from daemon.policy.facts import Facts, facts_of
from daemon.policy.judge import Sifted, explain, judge_sifted, sieve, sift
from daemon.policy.members import TIMED, Moment
from daemon.policy.read import PolicyUnreadable, read_policy
from daemon.policy.returns import Returns
from daemon.policy.rows import Approval
from daemon.policy.rules import Decision, RuleSet, Ruling
from daemon.policy.rulings import Made, Present, Rulings, is_reusable
from daemon.policy.spent import DAY_MS, FOR_EVER, MOVED_MS, BudgetClock, Charge, Spent, Supposed
from musig2.protocol.records.records import Request
from musig2.protocol.review.findings import ReviewStatus
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed

T = TypeVar("T")
MISMATCH = "The request shows something else than it asks to sign, so nobody can join it."


class PolicyDenied(Refused):
    """The policy refuses this."""

    reason = "policy_denied"


class ApprovalNeeded(PolicyDenied):
    """The policy needs approvals, and there are not enough of them."""

    reason = "approval_needed"


class PolicyStore(Protocol):
    """The part of the store that is needed here."""

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySurroundings:
    """What the policy asks of the daemon.

    `reputation_of`: the local score of a key, None without evidence. `clock_is_wrong`: peers say so; then no time
    window and no budget lets anything pass.
    """

    store: PolicyStore
    clock: Clock
    network: str
    reputation_of: Callable[[bytes], int | None] = lambda key: None
    clock_is_wrong: Callable[[], bool] = lambda: False
    steady: Callable[[], SinceBoot] = since_boot


class OwnerPolicy:
    """Belongs to the event loop."""

    def __init__(self, around: PolicySurroundings, path: Path, *, required: bool = False) -> None:
        """`required`: the settings name the file, so it must exist. Raises PolicyUnreadable."""
        self._around = around
        self.path = path
        self._rules = read_policy(path) if required or path.exists() else None
        self._rulings = Rulings(sieve(self.rules))
        self._clock = BudgetClock(around.clock.wall_ms, around.steady)
        self._spent = Spent()
        self._returns = Returns()
        self._approvals: dict[bytes, list[Approval]] = {}  # by request, as long as they are not stored
        self._on_change: list[Callable[[], None]] = []
        self.problem: str | None = None

    @property
    def active(self) -> bool:
        """Whether there are rules."""
        return self._rules is not None

    @property
    def rules(self) -> RuleSet:
        """The rules in force; none where there is no file."""
        return self._rules or RuleSet(())

    def start(self) -> None:
        """Load what was spent."""
        read = self._around.store.read
        self._clock.resume(read(rows.kept_clock), read(rows.latest_charge))
        now_ms = self._clock.now_ms()
        charges = read(lambda conn: rows.charges_since(conn, now_ms - DAY_MS))
        self._rulings = Rulings(sieve(self.rules))
        self._spent = Spent(charges)

    def keep_clock(self, conn: sqlite3.Connection) -> None:
        """Write where the clock of budgets is: after `start`, and whenever `clock_was_set`."""
        rows.keep_clock(conn, self._clock.state)

    def clock_was_set(self) -> bool:
        """Whether the wall clock has jumped since this was last asked."""
        return self._clock.look()

    def on_change(self, call: Callable[[], None]) -> None:
        """Call `call` whenever a reload has put other rules in force."""
        self._on_change.append(call)

    async def reload(self) -> RuleSet:
        """Read the file again; a broken or missing one changes nothing. Raises PolicyUnreadable."""
        try:
            rules = await self.read_again()
        except PolicyUnreadable as problem:
            self.problem = str(problem)
            raise
        if rules is not None:
            self.problem = None
            self.put_in_force(rules)
        return self.rules

    async def read_again(self) -> RuleSet | None:
        """What `reload` would put in force; None: there is no file, as before. Raises PolicyUnreadable."""
        if self._rules is None and not await off_loop(self.path.exists):
            return None
        return await off_loop(lambda: read_policy(self.path))

    def as_if(self, rules: RuleSet) -> OwnerPolicy:
        """A copy that judges by these rules, for a look ahead: what it reserves counts in it alone."""
        other = copy(self)
        other._rules, other._rulings = rules, Rulings(sieve(rules))
        other._spent, other._returns, other._on_change = Supposed(self._spent), self._returns.copied(), []
        return other

    def put_in_force(self, rules: RuleSet) -> None:
        """Judge by these from now on."""
        self._rules, self._rulings = rules, Rulings(sieve(rules))
        for call in self._on_change:
            call()

    def ruling(self, signed: Signed[Request], key: bytes) -> Ruling:
        """The present ruling on this request for that own key."""
        request, kept, spent = signed.id, self._rulings, self._spent
        sifted = kept.sifted(request, key) or self._sift(signed, key)
        if isinstance(sifted, Ruling):
            return sifted
        now = self._present(sifted.members)
        latest = kept.latest(request, key, now, spent, sifted.members)
        if latest is not None:
            return latest
        spent.until_ms = FOR_EVER
        facts = self._at_present(signed, key, sifted, now)
        ruling = judge_sifted(sifted, facts, Moment(spent, now.budget_ms, request))
        if is_reusable(sifted):
            kept.keep(request, key, Made(ruling, now, spent.changes, spent.until_ms))
        return ruling

    def _sift(self, signed: Signed[Request], key: bytes) -> Sifted | Ruling:
        found = self._mismatch(signed) or sift(self._rulings.sieve, self._lasting(signed, key))
        if isinstance(found, Sifted):
            found = found.settled or found
        self._rulings.keep_sifted(signed.id, key, found)
        return found

    def _present(self, members: frozenset[str]) -> Present:
        around = self._around
        time_ms = None if members.isdisjoint(TIMED) or around.clock_is_wrong() else around.clock.wall_ms()
        return Present(time_ms, self._clock.now_ms())

    def explained(self, signed: Signed[Request], key: bytes) -> Ruling:
        """The same, with every condition that was checked."""
        return self._mismatch(signed) or explain(self.rules, self.facts(signed, key), self._moment(signed))

    def facts(self, signed: Signed[Request], key: bytes) -> Facts:
        """The decoded values, with the present time and reputation."""
        members = self.rules.members
        whole = Sifted(self._lasting(signed, key), (), members)
        return self._at_present(signed, key, whole, self._present(members))

    def _at_present(self, signed: Signed[Request], key: bytes, sifted: Sifted, now: Present) -> Facts:
        """The facts with the present values of what the members compare with."""
        lasting = sifted.facts
        reputation = self._reputation(signed.record, key) if "min_reputation" in sifted.members else None
        taken = frozenset[int]() if lasting.transaction is None else self._taken(lasting.transaction, signed.id)
        return replace(lasting, time_ms=now.time_ms, reputation=reputation, taken=taken)

    def _lasting(self, signed: Signed[Request], key: bytes) -> Facts:
        return facts_of(signed, key, self._around.network)

    def reserve(self, signed: Signed[Request], ruling: Ruling) -> None:
        """It is joined: reserve its cost, if that was automatic, and what comes back until it is signed or over."""
        if ruling.claim is not None:
            self._returns.claim(signed.id, ruling.claim)
        if ruling.verdict is Decision.JOIN and ruling.rule is not None:
            self._spent.reserve(self._charge(signed, ruling))

    def charge(self, signed: Signed[Request], ruling: Ruling) -> Callable[[sqlite3.Connection], None]:
        """Own partial signatures are being stored: returns the write of their charge, for the same transaction."""
        charge, claim = self._charge(signed, ruling), ruling.claim
        self._spent.charge(charge)

        def save(conn: sqlite3.Connection) -> None:
            rows.save_charge(conn, charge)
            if claim is not None:
                rows.save_claim(conn, signed.id, claim)

        return save

    def take_back(self, request: bytes, ruling: Ruling) -> None:
        """The transaction with the charge failed: nothing was spent."""
        self._spent.take_back(request, _budget(ruling))

    def release(self, request: bytes) -> None:
        """The request is over."""
        self._spent.release(request)
        self._returns.release(request)

    def approve(self, approval: Approval) -> Callable[[sqlite3.Connection], None]:
        """An owner approved: returns what to write in the transaction of the join."""
        self._approvals.setdefault(approval.request, []).append(approval)
        return lambda conn: rows.save_approval(conn, approval)

    def stored(self, request: bytes) -> None:
        """What was approved is in the store now, or will never be."""
        self._approvals.pop(request, None)

    def withdraw(self, token: str) -> Callable[[sqlite3.Connection], None]:
        """A token is revoked, perhaps because somebody else had it: what to write in that transaction."""
        return lambda conn: rows.withdraw_approvals(conn, token)

    def approved(self, signed: Signed[Request], key: bytes, ruling: Ruling) -> bool:
        """Whether this request has as many approvals for that key as the ruling asks for."""
        return len(self.named(signed.id, key, ruling)) >= ruling.approvals.need

    def named(self, request: bytes, key: bytes, ruling: Ruling) -> frozenset[str]:
        """The approvals that count: by label if the rule names some, else by token."""
        of, given = ruling.approvals.of, self.approvals(request, key)
        return frozenset(each.label for each in given if each.label in of) if of else frozenset(a.token for a in given)

    def was_asked(self, request: bytes, key: bytes) -> bool:
        """Whether the owner of that key was told that this request waits."""
        return self._around.store.read(lambda conn: rows.was_asked(conn, request, key))

    def note_asked(self, request: bytes, key: bytes) -> Callable[[sqlite3.Connection], None]:
        """The owner of that key is told: returns the write of that fact, for the same transaction."""
        now_ms = self._around.clock.wall_ms()
        return lambda conn: rows.note_asked(conn, request, key, now_ms)

    def approvals(self, request: bytes, key: bytes) -> tuple[Approval, ...]:
        """The approvals of a request for one own key that are still in force.

        Those with an end count only while the clock is believed, and not before they were given by it: otherwise a
        clock that is set back would bring them back.
        """
        stored = self._around.store.read(lambda conn: rows.approvals_of(conn, request, key))
        new = [each for each in self._approvals.get(request, ()) if each.key == key]
        known = {each.token: each for each in (*stored, *new)}
        now_ms = self._around.clock.wall_ms()
        return tuple(each for each in known.values() if each.until_ms is None or self._lasts(each, now_ms))

    def _lasts(self, approval: Approval, now_ms: int) -> bool:
        until_ms = approval.until_ms
        if until_ms is None or self._around.clock_is_wrong():
            return until_ms is None
        return approval.at_ms - MOVED_MS <= now_ms < until_ms

    def forget_old(self, conn: sqlite3.Connection) -> None:
        """Delete rows that are no longer used."""
        wall_ms = self._around.clock.wall_ms()
        rows.forget(conn, budget_ms=self._clock.now_ms() - rows.KEPT_MS, wall_ms=wall_ms - rows.KEPT_MS)

    def _taken(self, transaction: bytes, request: bytes) -> frozenset[int]:
        signed = self._around.store.read(lambda conn: rows.claimed(conn, transaction, request))
        return signed | self._returns.claimed(transaction, request)

    def _charge(self, signed: Signed[Request], ruling: Ruling) -> Charge:
        creator, amount = signed.record.creator.hex(), ruling.amount or 0
        return Charge(signed.id, _budget(ruling), creator, amount, self._clock.now_ms())

    def _moment(self, signed: Signed[Request]) -> Moment:
        return Moment(self._spent, self._clock.now_ms(), signed.id)

    def _mismatch(self, signed: Signed[Request]) -> Ruling | None:
        if review_of(signed).status is not ReviewStatus.MISMATCH:
            return None
        return Ruling(Decision.REFUSE, None, instead=MISMATCH)

    def _reputation(self, request: Request, key: bytes) -> int | None:
        scores = [self._around.reputation_of(other) for other in request.keys if other != key]
        known = [score for score in scores if score is not None]
        return min(known) if len(known) == len(scores) else None


def _budget(ruling: Ruling) -> str:
    return "" if ruling.rule is None else ruling.rule.budget
