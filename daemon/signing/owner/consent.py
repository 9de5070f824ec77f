"""The policy at work: before every join and every partial signature, and for requests that wait for nobody but it.

request arrives, unlock, reload, every sweep --> consider: join, leave to the owner, or decline
NeedJoin, NeedPartials                       --> refusal: the signer port is not asked
own partials stored                          --> signed: the budget is charged in the same transaction
"""

from __future__ import annotations

import structlog

from daemon.clock import WallClock
from daemon.keys.errors import KeyRefused
from daemon.policy.policy import OwnerPolicy, PolicyDenied
from daemon.policy.rows import Approval
from daemon.policy.rules import Decision, Ruling
from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.owner.declines import Declines
from daemon.signing.ports import SigningKeystore
from musig2.protocol.interface.effects import Need, NeedJoin, NeedPartials, Outcome, SaveMessage, State
from musig2.protocol.interface.inputs import Approved, Received, SignerRefused
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed

log = structlog.get_logger("musigd.policy")
DECLINED = "declined by policy"
HELD_BACK = frozenset({"policy", "locked"})  # reasons of an attempt that ended here, by the owner's own will


class Consent:
    """Asks the policy, where there is one. Belongs to the event loop."""

    def __init__(
        self,
        *,
        policy: OwnerPolicy | None,
        keystore: SigningKeystore,
        declines: Declines,
        inbox: Inbox,
        roster: Roster,
        clock: WallClock,
    ) -> None:
        self._policy = policy
        self._keystore = keystore
        self._declines = declines
        self._inbox = inbox
        self._roster = roster
        self._clock = clock
        self._rulings: dict[tuple[bytes, bytes], Ruling] = {}  # under which partial signatures were asked for
        self._charged: dict[bytes, list[Ruling]] = {}  # in parts that are not committed yet
        self._owed: dict[bytes, list[Ruling]] = {}  # of signatures that could not be stored yet
        if policy is not None:
            policy.on_change(self.consider_all)

    @property
    def policy(self) -> OwnerPolicy | None:
        """The rules in force; None where there are none."""
        return self._policy if self._policy is not None and self._policy.active else None

    def require(self, signed: Signed[Request], key: bytes) -> None:
        """A client asks for a join: raises PolicyDenied where a rule refuses it."""
        policy = self.policy
        if policy is None:
            return
        ruling = policy.ruling(signed, key)
        if ruling.verdict is Decision.REFUSE:
            raise denied(ruling)

    def approve(self, part: Part, key: bytes, token: str) -> None:
        """The join that a client asks for counts as its approval, and is stored with it."""
        policy = self.policy
        if policy is not None:
            approval = Approval(part.entry.request.id, key, token, "", self._clock.wall_ms())
            part.also.append(policy.approve(approval))

    def refusal(self, need: Need, request: Signed[Request], attempt: int) -> SignerRefused | None:
        """What to answer instead of the signer port; None where it may be asked."""
        policy = self.policy
        if policy is None or not isinstance(need, NeedJoin | NeedPartials):
            return None
        ruling = policy.ruling(request, need.key)
        if not self._may(policy, ruling, request, need.key):
            log.warning("the policy holds a key back", key=need.key.hex(), why=ruling.sentence)
            return SignerRefused(need.key, attempt, "policy")
        if isinstance(need, NeedPartials):
            self._rulings[request.id, need.key] = ruling
        else:
            policy.reserve(request, ruling)
        return None

    def signed(self, part: Part, message: SaveMessage) -> None:
        """Own partial signatures are in this part: their charge goes into its transaction."""
        policy = self.policy
        if policy is None:
            return
        request = part.entry.request
        key = request.record.keys[message.index]
        ruling = self._rulings.pop((request.id, key), None) or policy.ruling(request, key)
        part.also.append(policy.charge(request, ruling))
        self._charged.setdefault(request.id, []).append(ruling)

    def completed(self, part: Part) -> None:
        """The signature is in this part: a charge that could not be stored with the partial ones is stored with it."""
        request = part.entry.request
        owed = self._owed.pop(request.id, [])
        if self._policy is not None and owed:
            part.also += [self._policy.charge(request, ruling) for ruling in owed]
            self._charged.setdefault(request.id, []).extend(owed)

    def committed(self, part: Part) -> None:
        """What this part wanted is stored."""
        self._charged.pop(part.entry.request.id, None)
        if self._policy is not None and not part.entry.machine.outcome.live:
            self._policy.release(part.entry.request.id)

    def not_committed(self, part: Part) -> None:
        """Nothing of this part is stored, so nothing was spent; unless the signature is made, which is stored later."""
        request = part.entry.request.id
        rulings = self._charged.pop(request, [])
        if part.entry.machine.outcome is Outcome.COMPLETE:
            self._owed[request] = rulings
            return
        for ruling in rulings:
            if self._policy is not None:
                self._policy.take_back(request, ruling)

    def resume(self, entry: OpenRequest) -> None:
        """It came from the store at the start: what its joins by themselves will cost is kept for them again."""
        policy = self.policy
        if policy is None or not entry.machine.outcome.live:
            return
        for view in entry.machine.session_views():
            if (view.row.state.live or view.retrying) and not view.row.partial_released:
                policy.reserve(entry.request, policy.ruling(entry.request, view.row.key))

    def consider_all(self) -> None:
        """The rules, the time or the keys have changed: what waits is looked at again."""
        if self.policy is not None:
            self._inbox.put(self._consider_open)

    def _consider_open(self, turn: Turn) -> None:
        for entry in self._roster:
            self.consider(turn, entry)

    def consider(self, turn: Turn, entry: OpenRequest) -> None:
        """Join, decline, or leave it to its owner, for each own key that has no part in it.

        Other failures than that of the policy or a lock leave the next attempt to somebody else, as ever.
        """
        policy = self.policy
        if policy is None or not entry.machine.outcome.live or turn.now.wall_ms >= entry.request.record.expires:
            return
        for key in sorted(entry.own - _taking_part(entry)):
            if self._usable(key, entry.request.record.scheme) and entry.machine.outcome.live:
                self._settle(turn, entry, key, policy.ruling(entry.request, key))

    def _settle(self, turn: Turn, entry: OpenRequest, key: bytes, ruling: Ruling) -> None:
        named = {"request": entry.request.id.hex(), "key": key.hex(), "why": ruling.sentence}
        match ruling.verdict:
            case Decision.JOIN:
                log.info("the policy joins a request", **named)
                turn.feed(entry, Approved(key, None))
            case Decision.REFUSE:
                log.info("the policy declines a request", **named)
                reason = DECLINED if ruling.rule is None else ruling.rule.reason or DECLINED
                turn.feed(entry, Received(self._declines.sealed(entry.request.id, key, reason), None))
            case Decision.ASK:
                log.debug("a request waits for its owner", **named)

    def _may(self, policy: OwnerPolicy, ruling: Ruling, request: Signed[Request], key: bytes) -> bool:
        match ruling.verdict:
            case Decision.JOIN:
                return True
            case Decision.ASK:
                return policy.approved(request, key)
            case Decision.REFUSE:
                return False

    def _usable(self, key: bytes, scheme: str) -> bool:
        try:
            self._keystore.get(key)
        except KeyRefused:
            return False
        return self._keystore.scheme_of(key) == scheme


def _taking_part(entry: OpenRequest) -> set[bytes]:
    latest = {view.row.key: view.row for view in entry.machine.session_views()}
    return {key for key, row in latest.items() if row.state is not State.ABORTED or row.reason not in HELD_BACK}


def denied(ruling: Ruling) -> PolicyDenied:
    """The refusal that names the rule and its line."""
    if ruling.rule is None:
        return PolicyDenied(ruling.sentence, verdict=ruling.verdict.value)
    return PolicyDenied(ruling.sentence, verdict=ruling.verdict.value, rule=ruling.rule.name, line=ruling.rule.line)
