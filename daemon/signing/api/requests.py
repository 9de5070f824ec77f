"""RPC methods of phase 2: announce, find, get, join, decline, cancel."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from daemon.clock import Clock
from daemon.signing.api.asked import Asked
from daemon.signing.api.errors import AutoAdvanceTooLate, NotTheCreator
from daemon.signing.api.new_request import as_asked, make_request, require_scheme, salts
from daemon.signing.api.visible import Finder
from daemon.signing.engine.changes import act
from daemon.signing.engine.engine import Engine
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.roster import Roster
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.declines import Declines
from daemon.signing.peers.key_schemes import KeySchemes
from daemon.signing.ports import Policy, SigningKeystore, SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store.views import joined_view
from daemon.signing.store.writes import SaveRequest
from musig2.protocol.interface.effects import Emit, Outcome
from musig2.protocol.interface.inputs import Approved, Received
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Cancel, Request
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed
from rpc import answers
from rpc.caller import Caller
from rpc.models import requests as wire
from rpc.ports import Once

T = TypeVar("T")


class RequestMethods:
    """Handlers named as the API's methods in snake_case."""

    def __init__(
        self,
        *,
        store: SigningStore,
        keystore: SigningKeystore,
        clock: Clock,
        engine: Engine,
        roster: Roster,
        loader: Loader,
        finder: Finder,
        asked: Asked,
        policy: Policy,
        consent: Consent,
        schemes: KeySchemes,
        declines: Declines,
        limits: SigningLimits,
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        """`refresh` asks the network for requests for own keys."""
        self._store = store
        self._keystore = keystore
        self._clock = clock
        self._engine = engine
        self._roster = roster
        self._loader = loader
        self._finder = finder
        self._asked = asked
        self._policy = policy
        self._consent = consent
        self._schemes = schemes
        self._declines = declines
        self._limits = limits
        self._refresh = refresh
        self._salts = salts()

    async def announce_signing_request(
        self, caller: Caller, params: wire.AnnounceSigningRequest, once: Once | None = None
    ) -> answers.Announced:
        """Make, sign, store and send a request; its creator joins at once."""
        caller.require_key(bytes.fromhex(params.public_key))
        signed = make_request(
            params,
            keystore=self._keystore,
            schemes=self._schemes,
            limits=self._limits,
            wall_ms=self._clock.wall_ms(),
            salt=next(self._salts),
        )
        with as_asked(params):
            self._policy.check_join(review_of(signed), signed.record.creator)
        self._consent.require(signed, signed.record.creator, caller)
        made: list[Part] = []

        def announce(turn: Turn) -> Part:
            made.append(self._open(turn, signed, caller, auto=params.auto_advance))
            return made[0]

        await act(self._engine, announce, lambda conn: _announced(self._view(caller, conn, signed.id)), once)
        return _announced(self._finder.show_new(caller, made[0]))

    def _open(self, turn: Turn, signed: Signed[Request], caller: Caller, *, auto: bool) -> Part:
        entry = self._loader.create(signed, None)
        self._roster.add(entry)
        part = turn.part(entry)
        part.created = SaveRequest(signed, entry.own, None, turn.now.wall_ms)
        creator = signed.record.creator
        part.events.append(Emit("signing-request:created", signed.id, None, None, (creator,)))
        siblings = tuple(sorted(entry.own - {creator}))
        if siblings:  # their owners are asked like any other signer
            part.events.append(Emit("signing-request:received", signed.id, None, None, siblings))
        self._consent.approve(part, creator, caller)
        turn.feed(entry, Approved(creator, auto))
        self._consent.consider(turn, entry)
        return part

    async def find_signing_requests_for_me(
        self, caller: Caller, params: wire.FindSigningRequestsForMe
    ) -> answers.RequestList:
        """A page of the requests that require a key of the caller's: known creators first, newest first."""
        if params.refresh:
            await self._refresh()
        return await self._store.read_slow(self._asked.page(caller, params))

    async def get_signing_request(self, caller: Caller, params: wire.GetSigningRequest) -> answers.SigningRequest:
        """One request that requires a key of the caller's."""
        request = bytes.fromhex(params.request_id)
        self._finder.stored(caller, request)
        return self._finder.view(caller, request)

    async def join_signing_request(
        self, caller: Caller, params: wire.JoinSigningRequest, once: Once | None = None
    ) -> answers.Joined:
        """Approve with an own key. Safe to repeat; after an aborted attempt it starts the next."""
        key = bytes.fromhex(params.public_key)
        caller.require_key(key)
        request = bytes.fromhex(params.request_id)
        signed = self._finder.live(caller, request, key).request
        auto = params.auto_advance if "auto_advance" in params.model_fields_set else None
        self._keystore.get(key)
        require_scheme(self._keystore, key, signed.record.scheme)
        self._policy.check_join(review_of(signed), key, require_checked=params.require_checked)
        self._consent.require(signed, key, caller)
        await act(
            self._engine,
            lambda turn: self._approve(turn, request, key, caller, auto),
            lambda conn: _as_asked(conn, signed, key, by_hand=auto is False),
            once,
            certain=False,
        )
        told = self._store.query(lambda conn: joined_view(conn, signed))
        if params.public_key not in told["joined"]:
            self._require_live(request)
            self._consent.require(signed, key, caller)
        if auto is False and self._store.read(lambda conn: _goes_on(conn, request, key)):
            raise AutoAdvanceTooLate
        return told

    def _approve(self, turn: Turn, request: bytes, key: bytes, caller: Caller, auto: bool | None) -> Part | None:
        entry = turn.wake(request)
        if entry is None:
            return None
        self._consent.approve(turn.part(entry), key, caller)
        return turn.feed(entry, Approved(key, auto))

    def _require_live(self, request: bytes) -> None:
        entry = self._finder.live_or_done(request)
        if not entry.machine.outcome.live:
            raise self._finder.refusal(entry)

    async def decline_signing_request(
        self, caller: Caller, params: wire.DeclineSigningRequest, once: Once | None = None
    ) -> answers.Declined:
        """Decline for good, which ends the request for all signers."""
        key = bytes.fromhex(params.public_key)
        caller.require_key(key)
        request = bytes.fromhex(params.request_id)
        entry = self._finder.live(caller, request, key)
        signed = self._declines.sealed(entry.request.id, key, params.reason or "")
        await act(
            self._engine,
            lambda turn: turn.feed_to(request, Received(signed, None)),
            lambda conn: {"declined": True},
            once,
        )
        entry = self._finder.live_or_done(request)
        if entry.machine.outcome is not Outcome.DECLINED:  # it ended in another way before the decline was handled
            raise self._finder.refusal(entry)
        return {"declined": True}

    async def cancel_signing_request(
        self, caller: Caller, params: wire.CancelSigningRequest, once: Once | None = None
    ) -> answers.SigningRequest:
        """Cancel an own request for all signers."""
        request = bytes.fromhex(params.request_id)
        self._finder.stored(caller, request)
        creator = self._finder.request(request).record.creator
        if creator not in self._finder.keys_of(caller):
            raise NotTheCreator(creator)
        entry = self._finder.live(caller, request, creator)
        record = Cancel(
            scheme=entry.request.record.scheme,
            request=request,
            pubkey=creator,
            reason=params.reason or "",
            ts=self._clock.wall_ms(),
        )
        signed = seal(record, lambda digest: self._keystore.sign(creator, digest, even_paused=True))
        await act(
            self._engine,
            lambda turn: turn.feed_to(request, Received(signed, None)),
            lambda conn: self._view(caller, conn, request),
            once,
        )
        return self._finder.view(caller, request)

    def _view(self, caller: Caller, conn: sqlite3.Connection, request: bytes) -> answers.SigningRequest:
        stored = reading.request(conn, request)
        assert stored is not None, "it is stored in the same transaction"
        return self._finder.show(caller, conn, stored)


def _as_asked(conn: sqlite3.Connection, signed: Signed[Request], key: bytes, *, by_hand: bool) -> answers.Joined | None:
    """The answer to a join, read inside its transaction; None if the join did not do what was asked."""
    told = joined_view(conn, signed)
    if key.hex() not in told["joined"] or (by_hand and _goes_on(conn, signed.id, key)):
        return None
    return told


def _goes_on(conn: sqlite3.Connection, request: bytes, key: bytes) -> bool:
    """Whether the latest attempt of that key runs its rounds by itself."""
    rows = [stored.row for stored in reading.sessions_of(conn, request) if stored.row.key == key]
    return bool(rows) and rows[-1].auto


def _announced(view: answers.SigningRequest) -> answers.Announced:
    return {"requestId": view["requestId"], "sessionId": view["sessionId"], "request": view}
