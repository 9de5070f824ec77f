"""One signing request, sans-IO: inputs and a clock value in, effects out.

    request  1 --- 1..16  attempt (transcript)  1 --- own keys  session (state table)

        Received, JoinReady ...        reception       frames from peers, and answers after the end
               |                       considering     whose owner has not decided yet
               |                       joining         who takes part, in which attempt
               |                       own_part        inputs of owner and signer port
               |                       contributions   nonces, partials, aborts of others; proofs
            handle() -- one of -->     exchange        have, and what is missing
               |                       conclusion      how the request stands, and how it ended
            settle, until quiet        turns           whose turn it is after the signature
               |
            effects: Save*, Send, Emit, Need*

`handle` takes one input to quiescence: what an own key adds to the transcript is seen by its siblings before it
returns, and one event names all own keys it concerns. The machine keeps no secret; own messages that were stored are
only sent again, never made again. The states of an attempt are in session_table.py and docs/sessions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from musig2 import MusigError
from musig2.protocol.broadcast.turns import BroadcastTurns
from musig2.protocol.interface.effects import (
    Effect,
    Outcome,
    SaveJoin,
    SaveMessage,
    SaveOutcome,
    SaveRecord,
    SessionRow,
    State,
)
from musig2.protocol.interface.inputs import (
    Approved,
    Input,
    JoinReady,
    NoncesReady,
    NotifyBroadcast,
    Now,
    OwnerAbort,
    PartialsReady,
    PeerConnected,
    PeerDisconnected,
    Received,
    ReceivedComplete,
    ReceivedHave,
    Restarted,
    SaveFailed,
    SignerRefused,
    StartRound1,
    StartRound2,
    Tick,
)
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.interface.views import SessionView
from musig2.protocol.records.records import Join, Request
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.comparison import Comparison
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.considering import Considerations
from musig2.protocol.request.contributions import Contributions
from musig2.protocol.request.exchange import Exchange
from musig2.protocol.request.joining import Joining
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.request.own_part import OwnPart
from musig2.protocol.request.reception import Reception
from musig2.protocol.request.restore import rebuild
from musig2.protocol.request.save_retry import SaveRetry
from musig2.protocol.session.session_table import On
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Frame, Signed


class RequestMachine:
    """All attempts of one request for all own keys. Not thread-safe; it never blocks and does no I/O."""

    def __init__(
        self,
        request: Signed[Request],
        own_keys: frozenset[bytes],
        sign_message: Callable[[bytes], bytes],
        own_peer: bytes,
        *,
        mesh: int = MESH,
    ) -> None:
        """`own_keys`: required keys held here. `sign_message`: ed25519 over an id, by the identity of `own_peer`.

        `mesh`: up to so many signers everybody speaks to everybody; above it they meet at hubs.
        """
        self._terms = RequestTerms(request, own_keys, sign_message, own_peer)
        self._attempts = Attempts(self._terms)
        self._conclusion = Conclusion(self._terms, self._attempts)
        self._exchange = Exchange(self._terms, self._attempts, mesh=mesh)
        self._forwarding = self._exchange.forwarding
        self._comparison = Comparison(self._terms, None if self._forwarding is None else self._forwarding.hubs)
        self._contributions = Contributions(self._terms, self._attempts, self._conclusion, self._exchange)
        self._joining = Joining(self._terms, self._attempts, self._conclusion, self._exchange, self._contributions)
        self._own = OwnPart(self._terms, self._attempts, self._conclusion, self._joining)
        self._considerations = Considerations(self._terms, self._attempts, self._conclusion)
        self.broadcast = BroadcastTurns(self._terms, self._attempts, self._conclusion)
        self._reception = Reception(
            terms=self._terms,
            attempts=self._attempts,
            conclusion=self._conclusion,
            exchange=self._exchange,
            comparison=self._comparison,
            contributions=self._contributions,
            joining=self._joining,
            considerations=self._considerations,
            broadcast=self.broadcast,
        )
        self._now: Now | None = None
        self.save_retry = SaveRetry(self._attempts, self._conclusion)

    @classmethod
    def restore(
        cls,
        request: Signed[Request],
        own_keys: frozenset[bytes],
        sign_message: Callable[[bytes], bytes],
        own_peer: bytes,
        *,
        joins: Iterable[SaveJoin] = (),
        messages: Iterable[SaveMessage] = (),
        rows: Iterable[SessionRow] = (),
        outcome: SaveOutcome | None = None,
        records: Iterable[SaveRecord] = (),
        mesh: int = MESH,
    ) -> RequestMachine:
        """Rebuild from what its own Save effects left in the store, in any order. Feed `Restarted` next.

        `outcome`: the last one stored (with `signatures`, `completed_ms`, `turn`), None if none ever was.
        """
        machine = cls(request, own_keys, sign_message, own_peer, mesh=mesh)
        rebuild(
            machine._attempts,
            machine._conclusion,
            machine.broadcast,
            machine._contributions,
            machine._considerations,
            joins=joins,
            messages=messages,
            rows=rows,
            outcome=outcome,
            records=records,
        )
        return machine

    def handle(self, inp: Input, now: Now) -> list[Effect]:
        """Take one input to quiescence. The effects are to be executed as effects.py says."""
        self._now = now
        reaction = Reaction(self._terms.id, now, self._exchange.spread)
        self._take(inp, reaction)
        self._settle(reaction)
        for transcript in [self._attempts.transcript(attempt) for attempt in reaction.broken_off]:
            self._contributions.judge_broken_off(transcript, reaction)
            self._comparison.begin(transcript, reaction)
        if self._forwarding is not None and not self._conclusion.final:
            self._forwarding.flush(reaction)
        return reaction.effects()

    def next_wakeup_ms(self) -> int | None:
        """When to feed `Tick` (monotonic clock), or None."""
        now = self._now
        if now is None:
            return None
        due = [self.save_retry.due_ms, self.broadcast.next_due_ms(now), self._exchange.next_due_ms()]
        due.append(self._conclusion.tell_ms if self._conclusion.stored else None)
        if not self._conclusion.final:
            due.append(self._attempts.next_due_ms())
            due.append(None if self._forwarding is None else self._forwarding.due_ms)
            live = self._attempts.live()
            due += [session.deadline_ms(now) for session in live]
            if not live:
                due.append(now.mono_ms + max(0, self._terms.record.expires - now.wall_ms))
        return min((at for at in due if at is not None), default=None)

    @property
    def outcome(self) -> Outcome:
        """The state of the request."""
        return self._conclusion.outcome

    @property
    def reason(self) -> str | None:
        """Why it ended, as stored with the outcome."""
        return self._conclusion.reason

    @property
    def ended_by(self) -> bytes | None:
        """Pubkey that declined, cancelled or aborted it, or is accused."""
        return self._conclusion.by

    @property
    def attempt(self) -> int:
        """The highest attempt in any valid join; 0 before the first."""
        return self._attempts.highest

    @property
    def signatures(self) -> tuple[bytes, ...]:
        """The final signatures, one per item; empty until complete."""
        return self._conclusion.signatures

    @property
    def partial_released(self) -> bool:
        """Whether a partial signature of an own key was ever sent: treat the inputs as possibly spent."""
        return any(session.row.partial_released for session in self._attempts.sessions.values())

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do, so that it may leave memory (a later frame loads it from the store)."""
        return self._conclusion.final and self.broadcast.over and self.save_retry.due_ms is None

    @property
    def coordinator(self) -> int | None:
        """Signer index whose turn it is to broadcast; None without an election, before the signature, or at the end."""
        failover = self.broadcast.failover
        return None if failover is None else failover.coordinator

    @property
    def joins(self) -> tuple[Signed[Join] | None, ...]:
        """The joins of the highest attempt, by signer index."""
        current = self._attempts.current
        return (None,) * self._terms.n if current is None else current.joins.all()

    def peer_of(self, index: int) -> bytes | None:
        """The peer named by that signer's join in the highest attempt that has one."""
        return self._attempts.peer_of(index)

    def has_signature(self, peer: bytes) -> bool:
        """Whether that peer has shown that it holds the signature."""
        return self._conclusion.was_shown_by(peer)

    def hubs(self) -> list[int]:
        """The signers at which the others meet, in order; empty where everybody speaks to everybody."""
        return [] if self._forwarding is None else self._forwarding.hubs.positions()

    def session_views(self) -> tuple[SessionView, ...]:
        """One per attempt and own key, in the order of attempts."""
        sessions = self._attempts.sessions
        return tuple(sessions[key].view(self._now) for key in sorted(sessions))

    def latest_rows(self) -> list[SessionRow]:
        """The latest attempt of each own key that has joined one."""
        return [session.row for session in self._attempts.latest.values()]

    def introduction(self) -> list[Frame]:
        """What to send with the request to a new signer: the joins and considerings so far, or how it ended."""
        last = self._conclusion.last_word()
        if last is not None:
            return [last]
        return [*(join for join in self.joins if join is not None), *self._considerations.pending()]

    def _take(self, inp: Input, reaction: Reaction) -> None:  # noqa: PLR0912  # one case per input, nothing else
        match inp:
            case Received():
                self._reception.received(inp, reaction)
            case ReceivedHave(have=have, peer=peer):
                self._reception.have(have, peer, reaction)
            case ReceivedComplete(signatures=signatures, peer=peer):
                self._reception.complete(signatures, peer, reaction)
            case Approved():
                self._joining.approve(inp, reaction)
            case JoinReady(join=join):
                self._joining.own_join(join, reaction)
            case NoncesReady():
                self._own.nonces(inp, reaction)
            case PartialsReady():
                self._own.partials(inp, reaction)
            case SignerRefused():
                self._own.refused(inp, reaction)
            case StartRound1() | StartRound2():
                self._own.start(inp, reaction)
            case OwnerAbort():
                self._own.abort(inp, reaction)
            case PeerConnected(peer=peer):
                self._reception.connected(peer, reaction)
            case PeerDisconnected(peer=peer):
                self._exchange.lost(peer, reaction)
                self._own.disconnected(peer, reaction)
            case NotifyBroadcast():
                if self._conclusion.complete:
                    self.broadcast.notify(inp, reaction)
            case Tick():
                self._tick(reaction)
            case Restarted():
                self._restarted(reaction)
            case SaveFailed(lost=lost, untold=untold):
                self.save_retry.failed(lost, untold, reaction)
            case _:
                assert_never(inp)

    def _settle(self, reaction: Reaction) -> None:
        """Take every step that is possible without further input."""
        moved = True
        while moved and not self._conclusion.final:
            live = self._attempts.live()
            for session in live:
                transcript = session.transcript
                if transcript.joins.full and transcript.deadline_ms is None:
                    transcript.start_clock(reaction.now)
            self._contributions.judge(live, reaction)
            moved = any([session.advance(reaction) for session in live])  # noqa: C419  # all of them, not the first
            self._finish_if_all_signed(live, reaction)
        self._joining.follow(reaction)
        self._conclusion.refresh(reaction)

    def _finish_if_all_signed(self, live: list[SigningSession], reaction: Reaction) -> None:
        for session in live:
            if session.state is not State.ROUND2 or not session.transcript.complete:
                continue
            try:
                signatures = session.transcript.aggregate()
            except MusigError:  # every part was verified, so this machine miscalculates: start a new attempt
                self._own.faulty(session, reaction)
                return
            self.broadcast.complete(signatures, reaction)
            self._conclusion.tell_peers(reaction, at_once=not self._exchange.meshed(session.transcript))
            return

    def _tick(self, reaction: Reaction) -> None:
        now = reaction.now
        for session in self._attempts.live():
            deadline = session.deadline_ms(now)
            if deadline is not None and deadline <= now.mono_ms:
                session.fire(On.DEADLINE, reaction, session.overdue(now))
        if not self._conclusion.final:
            self._joining.rejoin(reaction)
        current = self._attempts.current
        if self._exchange.tick(reaction) and current is not None:
            self._contributions.show_sets(current, reaction)
        self.broadcast.tick(reaction)
        self.save_retry.tick(reaction)
        self._conclusion.tick(reaction)

    def _restarted(self, reaction: Reaction) -> None:
        self.broadcast.resume()
        if self._conclusion.final:
            return
        if self._forwarding is not None:
            self._forwarding.resume()
        self._joining.restarted(reaction)
        self._exchange.begin(reaction.now, at_once=True)
        self._exchange.tick(reaction)
