"""Handlers of the policy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from daemon.errors import Refused
from daemon.events import EventLog
from daemon.policy.in_force import NONE, RulesOnRecord
from daemon.policy.policy import OwnerPolicy
from daemon.policy.read import PolicyUnreadable
from daemon.policy.rules import Decision, RuleSet, differences
from daemon.signing.owner.foresight import Foreseen, Foresight
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed
from rpc.caller import Caller
from rpc.models import policy as models
from rpc.ports import Once

T = TypeVar("T")
SHOWN_AT_MOST: Final = 100  # requests in one answer


class BrokenPolicy(Refused):
    """The file cannot be used; the rules in force stay."""

    reason = "policy_unreadable"


class KeyNotRequired(Refused):
    """The request does not ask for that key."""

    reason = "key_not_required"


class Requests(Protocol):
    """The part of `daemon.signing.api.visible.Finder` that is needed here; both raise NotFound."""

    def visible(self, caller: Caller, request: bytes) -> Signed[Request]: ...


class Store(Protocol):
    """The part of the store that is needed here."""

    async def write(self, fn: Callable[[sqlite3.Connection], T]) -> T: ...


class PolicyMethods:
    """Explains the policy, and reads it again."""

    def __init__(
        self,
        *,
        policy: OwnerPolicy,
        foresight: Foresight,
        on_record: RulesOnRecord,
        requests: Requests,
        store: Store,
        events: EventLog,
    ) -> None:
        self._policy = policy
        self._foresight = foresight
        self._on_record = on_record
        self._requests = requests
        self._store = store
        self._events = events

    async def explain_policy(self, caller: Caller, params: models.ExplainPolicy) -> models.PolicyExplained:
        """Raises NotFound, KeyNotRequired, and the `unknown_key` of `rpc.caller`."""
        key = bytes.fromhex(params.public_key)
        caller.require_key(key)
        signed = self._requests.visible(caller, bytes.fromhex(params.request_id))
        if key not in signed.record.keys:
            raise KeyNotRequired("This request does not ask for that key; see its requiredPublicKeys.")
        policy = self._policy
        ruling = policy.explained(signed, key)
        message = ruling.sentence
        if not policy.active and ruling.verdict is Decision.ASK:
            message = "There is no policy: nothing is joined automatically; a join is made when a token asks for it."
        return models.PolicyExplained(
            request_id=params.request_id,
            public_key=params.public_key,
            active=policy.active,
            verdict=ruling.verdict.value,
            rule=None if ruling.rule is None else ruling.rule.name,
            line=None if ruling.rule is None else ruling.rule.line,
            message=message,
            approved=policy.approved(signed, key, ruling),
            approvals_needed=ruling.approvals.need,
            approvals_given=len(policy.named(signed.id, key, ruling)),
            approvals_of=ruling.approvals.of,
            approvals=tuple(
                models.GivenApproval(
                    label=each.label, at=each.at_ms, until=each.until_ms, own=each.token == caller.token_id
                )
                for each in policy.approvals(signed.id, key)
            ),
            values=dict(policy.facts(signed, key).shown()),
            weighed=tuple(
                models.WeighedCondition(
                    rule=each.rule,
                    member=each.member,
                    line=each.line,
                    limit=each.limit,
                    value=each.value,
                    holds=each.holds,
                )
                for each in ruling.weighed
            ),
        )

    async def reload_policy(
        self, caller: Caller, params: models.ReloadPolicy, once: Once | None = None
    ) -> models.PolicyReloaded:
        """Raises BrokenPolicy."""
        try:
            if params.dry_run:
                return await self._dry_run(await self._policy.read_again())
            rules = await self._policy.reload()
        except PolicyUnreadable as problem:
            raise BrokenPolicy(str(problem)) from problem
        answer = _answer(rules, active=self._policy.active)
        told = {"active": answer.active, "rules": list(answer.rules), "policy": rules.digest or NONE}

        def tell(conn: sqlite3.Connection) -> None:
            self._on_record.note(conn)
            self._events.append(conn, "policy:reloaded", told)
            if once is not None:
                once.keep(conn, answer)

        await self._store.write(tell)
        self._events.publish()
        return answer

    async def _dry_run(self, read: RuleSet | None) -> models.PolicyReloaded:
        now = self._policy.rules
        then = now if read is None else read
        foreseen = [] if read is None else await self._foresight.under(read)
        told = models.PolicyDryRun(
            policy=then.digest or NONE,
            in_force=now.digest or NONE,
            rules=tuple(
                models.RuleInFile(
                    rule=each.rule.name, line=each.rule.line, verdict=each.rule.verdict.value, change=each.change.value
                )
                for each in differences(now, then)
            ),
            requests=tuple(map(_foreseen, foreseen[:SHOWN_AT_MOST])),
            more_requests=max(0, len(foreseen) - SHOWN_AT_MOST),
        )
        answer = _answer(then, active=read is not None or self._policy.active)
        return answer.model_copy(update={"dry_run": told})


def _answer(rules: RuleSet, *, active: bool) -> models.PolicyReloaded:
    names = tuple(rule.name for rule in rules.rules)
    return models.PolicyReloaded(active=active, rules=names, default=rules.default.value)


def _foreseen(each: Foreseen) -> models.ForeseenRequest:
    rule = each.ruling.rule
    return models.ForeseenRequest(
        request_id=each.request.hex(),
        public_key=each.key.hex(),
        outcome=each.fate.value,
        rule=None if rule is None else rule.name,
        line=None if rule is None else rule.line,
        message=each.ruling.sentence,
    )
