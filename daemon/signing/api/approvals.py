"""RPC methods of consent: listPendingApprovals, approveRequest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from daemon.clock import WallClock
from daemon.errors import InvalidParam
from daemon.policy.rows import Approval
from daemon.policy.rules import Decision, Ruling
from daemon.signing.api.new_request import require_scheme
from daemon.signing.api.pages import PAGE_BYTES, position_of
from daemon.signing.api.visible import Finder
from daemon.signing.engine.changes import act
from daemon.signing.engine.engine import Engine
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.owner.consent import Consent
from daemon.signing.ports import Policy, SigningKeystore, SigningStore
from daemon.signing.store import unwanted
from musig2.protocol.interface.effects import Emit
from musig2.protocol.interface.inputs import Approved
from musig2.protocol.review.review import review_of
from rpc import answers
from rpc.caller import Caller
from rpc.models import policy as wire
from rpc.ports import Once


class ApprovalMethods:
    """Handlers named as the API's methods in snake_case."""

    def __init__(
        self,
        *,
        store: SigningStore,
        keystore: SigningKeystore,
        clock: WallClock,
        engine: Engine,
        roster: Roster,
        finder: Finder,
        policy: Policy,
        consent: Consent,
    ) -> None:
        self._store = store
        self._keystore = keystore
        self._clock = clock
        self._engine = engine
        self._roster = roster
        self._finder = finder
        self._policy = policy
        self._consent = consent

    async def list_pending_approvals(
        self, caller: Caller, params: wire.ListPendingApprovals
    ) -> answers.PendingApprovals:
        """Requests that wait for the approval of the caller's keys, newest first."""
        keys = self._finder.keys_of(caller)
        if params.public_key is not None:
            caller.require_key(bytes.fromhex(params.public_key))
            keys = keys & {bytes.fromhex(params.public_key)}
        after = position_of(params.cursor) if params.cursor is not None else 0
        shown: list[answers.PendingApproval] = []
        size = 0
        for position, entry, key, ruling in self._waiting(keys, after):
            size += len(entry.request.envelope)
            if len(shown) == params.limit or (shown and size > PAGE_BYTES):
                return {"pending": shown, "nextCursor": str(position)}
            shown.append(self._pending(caller, entry, key, ruling))
        return {"pending": shown}

    def _waiting(self, keys: frozenset[bytes], after: int) -> Iterator[tuple[int, OpenRequest, bytes, Ruling]]:
        """Such requests from that position on, lazily: the policy judges only those of a page."""
        asked = [(entry, key) for entry in self._roster for key in keys & entry.own]
        asked.sort(key=lambda each: (-each[0].request.record.created, each[0].request.id, each[1]))
        for position, (entry, key) in enumerate(asked[after:], after):
            ruling = self._consent.waits(entry, key)
            if ruling is not None and not self._dismissed(entry.request.id, key):
                yield position, entry, key, ruling

    def _dismissed(self, request: bytes, key: bytes) -> bool:
        return self._store.read(lambda conn: unwanted.is_dismissed(conn, request, key))

    def _pending(self, caller: Caller, entry: OpenRequest, key: bytes, ruling: Ruling) -> answers.PendingApproval:
        told: answers.PendingApproval = {
            "publicKey": key.hex(),
            "message": self._consent.sentence(ruling),
            "approvalsNeeded": ruling.approvals.need,
            "approvalsGiven": len(self._consent.named(entry.request.id, key, ruling)),
            "approvalsOf": list(ruling.approvals.of),
            "approvals": _given(self._consent.approvals(entry.request.id, key), caller),
            "request": self._finder.view(caller, entry.request.id),
        }
        if ruling.rule is not None:
            told["rule"], told["line"] = ruling.rule.name, ruling.rule.line
        return told

    async def approve_request(
        self, caller: Caller, params: wire.ApproveRequest, once: Once | None = None
    ) -> answers.Approved:
        """Say yes with an own key; safe to repeat. Raises what a join raises, PolicyDenied, InvalidParam."""
        key, request = bytes.fromhex(params.public_key), bytes.fromhex(params.request_id)
        caller.require_key(key)
        signed = self._finder.live(caller, request, key).request
        if params.until is not None and params.until <= self._clock.wall_ms():
            raise InvalidParam(
                "until",
                "is in the past: give a later time, or leave it out so that the approval lasts as long as the request",
            )
        self._keystore.get(key)
        require_scheme(self._keystore, key, signed.record.scheme)
        self._policy.check_join(review_of(signed), key)
        self._consent.require_no_refusal(signed, key)
        await act(
            self._engine,
            lambda turn: self._approve(turn, request, key, caller, params.until),
            lambda conn: self._approved(conn, caller, request, key),
            once,
        )
        return self._store.read(lambda conn: self._approved(conn, caller, request, key))

    def _approve(self, turn: Turn, request: bytes, key: bytes, caller: Caller, until_ms: int | None) -> Part | None:
        entry = turn.wake(request)
        if entry is None:
            return None
        part = turn.part(entry)
        self._consent.approve(part, key, caller, until_ms)
        ruling = self._consent.ruling(entry.request, key)
        given = len(self._consent.named(request, key, ruling))
        told = {
            "publicKey": key,
            "label": self._consent.label_of(caller.token_id),
            "given": given,
            "needed": ruling.approvals.need,
        }
        part.events.append(Emit("approval:given", request, None, None, (key,), told))
        if ruling.verdict is Decision.JOIN or given >= ruling.approvals.need:
            turn.feed(entry, Approved(key, None))
        return part

    def _approved(self, conn: sqlite3.Connection, caller: Caller, request: bytes, key: bytes) -> answers.Approved:
        entry = self._finder.live_or_done(request)
        ruling = self._consent.ruling(entry.request, key)
        return {
            "requestId": request.hex(),
            "publicKey": key.hex(),
            "approvalsNeeded": ruling.approvals.need,
            "approvalsGiven": len(self._consent.named(request, key, ruling)),
            "approvalsOf": list(ruling.approvals.of),
            "approvals": _given(self._consent.approvals(request, key), caller),
            "joined": any(view.row.key == key for view in entry.machine.session_views()),
        }


def _given(approvals: tuple[Approval, ...], caller: Caller) -> list[answers.GivenApproval]:
    found: list[answers.GivenApproval] = []
    for each in approvals:
        told: answers.GivenApproval = {"label": each.label, "at": each.at_ms, "own": each.token == caller.token_id}
        if each.until_ms is not None:
            told["until"] = each.until_ms
        found.append(told)
    return found
