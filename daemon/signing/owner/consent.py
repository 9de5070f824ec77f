"""Applies the policy: before every join and every partial signature, and to requests that it can settle automatically.

request arrives, unlock, reload, every sweep --> consider: join, leave to the owner, or decline
NeedJoin, NeedPartials                       --> refusal: the signer port is not asked
own partials stored                          --> signed: the budget is charged in the same transaction
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from daemon.clock import WallClock
from daemon.errors import Refused
from daemon.events import OnRecord
from daemon.keys.errors import KeyRefused
from daemon.policy.members import TIMED
from daemon.policy.policy import MISMATCH, OwnerPolicy
from daemon.policy.rows import Approval
from daemon.policy.rules import Decision, Ruling
from daemon.signing.engine.events import signed_in
from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.owner import in_the_log
from daemon.signing.owner.considering import CoSigners
from daemon.signing.owner.declines import Declines
from daemon.signing.owner.grounds import grounds_of, misses_of
from daemon.signing.owner.part_taken import ended_by_the_store, taking_part
from daemon.signing.owner.refusals import denied, needs_approval
from daemon.signing.owner.rounds import Reconsidering
from daemon.signing.ports import Policy as TransactionPolicy
from daemon.signing.ports import SigningKeystore
from musig2.protocol.interface.effects import Emit, Need, NeedJoin, NeedPartials, Outcome, SaveMessage
from musig2.protocol.interface.inputs import Approved, Received, SignerRefused
from musig2.protocol.records.records import Request
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed
from rpc.caller import Caller, Scope

log = structlog.get_logger("musigd.policy")
DECLINED = "declined by policy"
IN_TIME = TIMED | {"min_reputation"}  # conditions that may begin to hold as time passes


class Consent:
    """Asks the policy, if there is one. Belongs to the event loop."""

    def __init__(
        self,
        *,
        policy: OwnerPolicy | None,
        keystore: SigningKeystore,
        declines: Declines,
        cosigners: CoSigners,
        transactions: TransactionPolicy,
        inbox: Inbox,
        roster: Roster,
        clock: WallClock,
        label_of: Callable[[str], str],
    ) -> None:
        """`transactions`: what no rule can lift. `label_of`: the label of a token, by its id."""
        self._policy = policy
        self._keystore = keystore
        self._declines = declines
        self._cosigners = cosigners
        self._transactions = transactions
        self._rounds = Reconsidering(inbox=inbox, roster=roster, consider=self.consider)
        self._clock = clock
        self.label_of = label_of
        self._asked: set[tuple[bytes, bytes]] = set()  # whose owner was told; the store knows the rest
        self._joining: dict[tuple[bytes, bytes], Ruling] = {}  # under which joins were asked for
        self._rulings: dict[tuple[bytes, bytes], Ruling] = {}  # the same of partial signatures
        self._charged: dict[bytes, list[Ruling]] = {}  # in parts that are not committed yet
        self._owed: dict[bytes, list[Ruling]] = {}  # of signatures that could not be stored yet
        self._owed_lines: dict[bytes, list[OnRecord]] = {}  # the same, for the audit log
        if policy is not None:
            policy.on_change(self.consider_all)

    @property
    def policy(self) -> OwnerPolicy | None:
        """The rules in force; None where there are none."""
        return self._policy if self._policy is not None and self._policy.active else None

    def require_no_refusal(self, signed: Signed[Request], key: bytes) -> None:
        """A client says yes: raises PolicyDenied where a rule refuses the request."""
        policy = self.policy
        if policy is not None and (ruling := policy.ruling(signed, key)).verdict is Decision.REFUSE:
            raise denied(ruling)

    def require(self, signed: Signed[Request], key: bytes, caller: Caller) -> None:
        """A client asks for a join: raises PolicyDenied where a rule refuses it, ApprovalNeeded where it waits.

        The join of a token with the scope `approve` is its approval, where that is enough.
        """
        policy = self.policy
        if policy is None:
            return
        ruling = policy.ruling(signed, key)
        if ruling.verdict is Decision.REFUSE:
            raise denied(ruling)
        if ruling.verdict is not Decision.ASK:
            return
        named = policy.named(signed.id, key, ruling)
        of, label = ruling.approvals.of, self.label_of(caller.token_id)
        if Scope.APPROVE in caller.scopes and (not of or label in of):
            named |= {label if of else caller.token_id}
        if len(named) < ruling.approvals.need:
            raise needs_approval(ruling)

    def approve(self, part: Part, key: bytes, caller: Caller, until_ms: int | None = None) -> None:
        """What a client with the scope `approve` asks for counts as its approval, and is stored with it."""
        if self._policy is not None and Scope.APPROVE in caller.scopes:
            request, token = part.entry.request.id, caller.token_id
            approval = Approval(request, key, token, self.label_of(token), self._clock.wall_ms(), until_ms)
            part.also.append(self._policy.approve(approval))

    def waits(self, entry: OpenRequest, key: bytes) -> Ruling | None:
        """The ruling that leaves this request to the owner of that key; None if nothing waits for the owner."""
        if not entry.machine.outcome.live or key in taking_part(entry):
            return None
        if self._keystore.scheme_of(key) != entry.request.record.scheme:
            return None
        ruling = self.ruling(entry.request, key)
        return ruling if ruling.verdict is Decision.ASK else None

    def ruling(self, request: Signed[Request], key: bytes) -> Ruling:
        """The present ruling; without a policy everything waits for its owner."""
        return Ruling(Decision.ASK, None) if self._policy is None else self._policy.ruling(request, key)

    def sentence(self, ruling: Ruling) -> str:
        """For people: why the request waits."""
        return ruling.sentence if self.policy is not None else "There is no policy: each join waits for its owner."

    def approvals(self, request: bytes, key: bytes) -> tuple[Approval, ...]:
        """The approvals that are still in force."""
        return () if self._policy is None else self._policy.approvals(request, key)

    def named(self, request: bytes, key: bytes, ruling: Ruling) -> frozenset[str]:
        """The labels or tokens among them that count for that ruling."""
        return frozenset() if self._policy is None else self._policy.named(request, key, ruling)

    def refusal(self, need: Need, part: Part, attempt: int) -> SignerRefused | None:
        """The answer that the machine gets instead of the signer port's; None if the signer port may be asked."""
        if not isinstance(need, NeedJoin | NeedPartials):
            return None
        request, policy = part.entry.request, self.policy
        if self._is_wrong(request, need.key):
            return self._held_back(part, need, attempt, {"verdict": Decision.REFUSE.value, "why": MISMATCH})
        if policy is None:
            return None
        ruling = policy.ruling(request, need.key)
        if not self._may(policy, ruling, request, need.key):
            return self._held_back(part, need, attempt, self._not_joined(request, need.key, ruling))
        if isinstance(need, NeedPartials):
            self._rulings[request.id, need.key] = ruling
        else:
            self._joining[request.id, need.key] = ruling
            policy.reserve(request, ruling)
        return None

    def _is_wrong(self, request: Signed[Request], key: bytes) -> bool:
        """Whether it was joined in vain, before an older version had such a check."""
        try:
            self._transactions.check_join(review_of(request), key)
        except Refused:
            return True
        return False

    def _held_back(
        self, part: Part, need: NeedJoin | NeedPartials, attempt: int, why: Mapping[str, Any]
    ) -> SignerRefused:
        request, key = part.entry.request.id.hex(), need.key.hex()
        log.warning("the policy holds a key back", request=request, key=key, **why)
        what = "join" if isinstance(need, NeedJoin) else "partial"
        part.records.append(
            ("held-back", {"publicKey": key, "requestId": request, "attempt": attempt, "from": what, **why})
        )
        return SignerRefused(need.key, attempt, "policy")

    def _grounds(self, request: bytes, key: bytes, ruling: Ruling) -> Mapping[str, Any]:
        if self.policy is None:
            return {}
        if ruling.verdict is not Decision.ASK:
            return grounds_of(self.policy, ruling)
        given, of = self.policy.approvals(request, key), ruling.approvals.of
        return grounds_of(self.policy, ruling, {each.label for each in given if not of or each.label in of})

    def _not_joined(self, request: Signed[Request], key: bytes, ruling: Ruling) -> Mapping[str, Any]:
        if self.policy is None:
            return {}
        return {**self._grounds(request.id, key, ruling), **misses_of(self.policy, ruling, request, key)}

    def joined(self, part: Part, key: bytes) -> None:
        """An own join is in this part: its grounds go on record with it."""
        ruling = self._joining.pop((part.entry.request.id, key), None)
        if ruling is not None:
            part.grounds["signing-request:joined", key] = self._grounds(part.entry.request.id, key, ruling)

    def signed(self, part: Part, message: SaveMessage) -> None:
        """Own partial signatures are in this part: put their charge into its transaction."""
        policy = self.policy
        if policy is None:
            return
        request = part.entry.request
        key = request.record.keys[message.index]
        ruling = self._rulings.pop((request.id, key), None) or policy.ruling(request, key)
        part.grounds["partial", key] = self._grounds(request.id, key, ruling)
        part.also.append(policy.charge(request, ruling))
        self._charged.setdefault(request.id, []).append(ruling)

    def completed(self, part: Part) -> None:
        """The signature is in this part: put in the charges that could not be stored with the partial signatures."""
        request = part.entry.request
        part.records += [(line.what, line.facts) for line in self._owed_lines.pop(request.id, [])]
        owed = self._owed.pop(request.id, [])
        if self._policy is not None and owed:
            part.also += [self._policy.charge(request, ruling) for ruling in owed]
            self._charged.setdefault(request.id, []).extend(owed)

    def committed(self, part: Part) -> None:
        """This part is stored."""
        self._charged.pop(part.entry.request.id, None)
        if self._policy is not None:
            self._policy.stored(part.entry.request.id)
        if self.policy is not None and part.entry.machine.outcome.live and ended_by_the_store(part.entry):
            self._rounds.later(part.entry.request.id)
        if self._policy is not None and not part.entry.machine.outcome.live:
            self._policy.release(part.entry.request.id)
            for key in part.entry.own:
                self._asked.discard((part.entry.request.id, key))
                for rulings in (self._joining, self._rulings):
                    rulings.pop((part.entry.request.id, key), None)

    def not_committed(self, part: Part) -> None:
        """This part is not stored: take its charges back, or keep them for the part that stores the signature."""
        request = part.entry.request.id
        self._asked -= {slot for slot in self._asked if slot[0] == request}
        rulings = self._charged.pop(request, [])
        if part.entry.machine.outcome is Outcome.COMPLETE:
            self._owed[request] = rulings
            self._owed_lines[request] = [*self._owed_lines.get(request, []), *signed_in(part)]
            return
        if self._policy is None:
            return
        self._policy.stored(request)
        for ruling in rulings:
            self._policy.take_back(request, ruling)
        if part.created is not None:
            self._policy.release(request)
        elif self.policy is not None and part.entry.machine.outcome.live:
            self._rounds.later(request)

    def resume(self, entry: OpenRequest) -> None:
        """A request was loaded at the start: reserve again what its automatic joins will cost."""
        policy = self.policy
        if policy is None or not entry.machine.outcome.live:
            return
        for view in entry.machine.session_views():
            if (view.row.state.live or view.retrying) and not view.row.partial_released:
                policy.reserve(entry.request, policy.ruling(entry.request, view.row.key))

    def consider_all(self) -> None:
        """The rules, the time or the keys have changed: consider all requests again."""
        if self.policy is not None:
            self._rounds.begin()

    def time_passed(self) -> None:
        """Time has passed: consider all requests again if a rule has a time window, a budget or a reputation."""
        policy = self.policy
        if policy is not None and not self._rounds.under_way and not IN_TIME.isdisjoint(policy.rules.members):
            self.consider_all()

    def consider(self, turn: Turn, entry: OpenRequest) -> None:
        """Join, decline, or leave it to its owner, for each own key that has no part in it.

        After a failure that is not in `part_taken.HELD_BACK` the next attempt is begun by a client or another signer.
        """
        policy = self.policy
        if policy is None or not entry.machine.outcome.live or turn.now.wall_ms >= entry.request.record.expires:
            return
        for key in sorted(entry.own - taking_part(entry)):
            if self._usable(key, entry.request.record.scheme) and entry.machine.outcome.live:
                self._settle(turn, entry, key, policy.ruling(entry.request, key))

    def _settle(self, turn: Turn, entry: OpenRequest, key: bytes, ruling: Ruling) -> None:
        match ruling.verdict:
            case Decision.JOIN:
                in_the_log.tell(entry.request.id, key, ruling)
                turn.feed(entry, Approved(key, None))
            case Decision.REFUSE:
                in_the_log.tell(entry.request.id, key, ruling)
                reason = DECLINED if ruling.rule is None else ruling.rule.reason or DECLINED
                turn.part(entry).grounds["signing-request:declined", key] = self._not_joined(entry.request, key, ruling)
                turn.feed(entry, Received(self._declines.sealed(entry.request.id, key, reason), None))
            case Decision.ASK:
                self._ask(turn, entry, key, ruling)

    def _ask(self, turn: Turn, entry: OpenRequest, key: bytes, ruling: Ruling) -> None:
        """Tell its owner, once, and the other signers that it waits."""
        request, policy = entry.request.id, self._policy
        if policy is None or (request, key) in self._asked or policy.was_asked(request, key):
            return
        self._asked.add((request, key))
        in_the_log.tell(request, key, ruling)
        told: dict[str, object] = {
            "publicKey": key,
            "message": ruling.sentence,
            "needed": ruling.approvals.need,
        }
        if ruling.rule is not None:
            told |= {"rule": ruling.rule.name, "line": ruling.rule.line}
        part = turn.part(entry)
        part.grounds["approval:needed", key] = self._not_joined(entry.request, key, ruling)
        part.events.append(Emit("approval:needed", request, None, None, (key,), told))
        part.also.append(policy.note_asked(request, key))
        self._cosigners.tell(turn, entry, key)

    def _may(self, policy: OwnerPolicy, ruling: Ruling, request: Signed[Request], key: bytes) -> bool:
        match ruling.verdict:
            case Decision.JOIN:
                return True
            case Decision.ASK:
                return policy.approved(request, key, ruling)
            case Decision.REFUSE:
                return False

    def _usable(self, key: bytes, scheme: str) -> bool:
        try:
            self._keystore.get(key)
        except KeyRefused:
            return False
        return self._keystore.scheme_of(key) == scheme
