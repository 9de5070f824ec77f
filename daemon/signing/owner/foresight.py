"""What would become of open requests under other rules, without doing any of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from daemon.clock import WallClock
from daemon.keys.errors import KeyRefused
from daemon.policy.policy import OwnerPolicy
from daemon.policy.rules import Decision, RuleSet, Ruling
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.owner.part_taken import taking_part
from daemon.signing.owner.rounds import AT_ONCE
from daemon.signing.ports import SigningKeystore
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed


class Fate(StrEnum):
    """What would happen to a request for an own key. WAITS: for its owner, under another rule or other approvals."""

    JOINED = "joined"
    DECLINED = "declined"
    WAITS = "waits"
    HELD_BACK = "held-back"  # it has joined, and would not sign


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One change, and the ruling that would bring it about."""

    request: bytes
    key: bytes
    fate: Fate
    ruling: Ruling


class Foresight:
    """Belongs to the event loop."""

    def __init__(self, *, policy: OwnerPolicy, roster: Roster, keystore: SigningKeystore, clock: WallClock) -> None:
        self._policy = policy
        self._roster = roster
        self._keystore = keystore
        self._clock = clock

    async def under(self, rules: RuleSet) -> list[Foreseen]:
        """The requests that would fare otherwise than now, in the order in which they would be considered.

        Budgets are used up by those before, as a reload would do. Few requests are looked at between two turns of
        the event loop.
        """
        supposed = self._policy.as_if(rules)
        found: list[Foreseen] = []
        for number, entry in enumerate(self._roster):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            if entry.machine.outcome.live and self._clock.wall_ms() < entry.request.record.expires:
                found += self._of(entry, supposed)
        return found

    def _of(self, entry: OpenRequest, supposed: OwnerPolicy) -> Iterator[Foreseen]:
        request = entry.request
        yield from self._joined_before(entry, supposed)
        for key in sorted(entry.own - taking_part(entry)):
            if not self._usable(key, request.record.scheme):
                continue
            then = supposed.ruling(request, key)
            if then.verdict is Decision.JOIN:
                supposed.reserve(request, then)
                yield Foreseen(request.id, key, Fate.JOINED, then)
            elif then.verdict is Decision.REFUSE:
                yield Foreseen(request.id, key, Fate.DECLINED, then)
                return  # that ends the request for every key
            elif _asks_otherwise(self._policy.ruling(request, key), then):
                yield Foreseen(request.id, key, Fate.WAITS, then)

    def _joined_before(self, entry: OpenRequest, supposed: OwnerPolicy) -> Iterator[Foreseen]:
        for view in entry.machine.session_views():
            row = view.row
            if row.partial_released or not (row.state.live or view.retrying):
                continue
            then = supposed.ruling(entry.request, row.key)
            if _may_sign(self._policy, entry.request, row.key) and not _may_sign(supposed, entry.request, row.key):
                yield Foreseen(entry.request.id, row.key, Fate.HELD_BACK, then)

    def _usable(self, key: bytes, scheme: str) -> bool:
        try:
            self._keystore.get(key)
        except KeyRefused:
            return False
        return self._keystore.scheme_of(key) == scheme


def _may_sign(policy: OwnerPolicy, request: Signed[Request], key: bytes) -> bool:
    if not policy.active:
        return True
    ruling = policy.ruling(request, key)
    asked = ruling.verdict is Decision.ASK and policy.approved(request, key, ruling)
    return ruling.verdict is Decision.JOIN or asked


def _asks_otherwise(now: Ruling, then: Ruling) -> bool:
    names = [None if each.rule is None else each.rule.name for each in (now, then)]
    return names[0] != names[1] or now.approvals != then.approvals
