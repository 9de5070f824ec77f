"""One attempt for one own key: what this signer does in it, and what it stores, sends and announces.

    joining -> (ready) -> round 1 -> round 2 -> complete         any of them -> aborted

The table is in session_table.py, with the theory. What others contribute is in the transcript, which this session reads
and to which it adds its own nonces and partial signatures. Secret nonces are never here: the signer port keeps them.
Own messages are made once, stored in the same effects that first send them, and only sent again unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from musig2.protocol.blame.endings import BROKEN_OFF, PROVEN, TIMEOUT_OF, Ending, Reason, aborted_data
from musig2.protocol.blame.proofs import shown
from musig2.protocol.interface.effects import (
    OVER,
    Need,
    NeedNonces,
    NeedPartials,
    SaveLock,
    SaveMessage,
    SessionRow,
    State,
    WipeNonces,
)
from musig2.protocol.interface.inputs import Now
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.interface.views import SessionView
from musig2.protocol.records.records import AbortBody, Message, NonceBody, PartialBody
from musig2.protocol.session.session_table import TABLE, Do, On
from musig2.protocol.session.slots import everyone
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Signed

Detail: TypeAlias = "Ending | tuple[bytes, ...] | None"


class SigningSession:
    """The state of one attempt for one own key. `row` is what is stored of it."""

    __slots__ = ("_told_nonces", "abort", "asked", "index", "retrying", "row", "terms", "transcript")

    def __init__(self, transcript: Transcript, row: SessionRow) -> None:
        self.terms = transcript.terms
        self.transcript = transcript
        self.row = row
        self.index = self.terms.index_of[row.key]
        self.asked: Need | None = None  # what the signer port was asked for
        self.abort: Signed[Message] | None = None  # what is sent to peers that still send frames about this attempt
        self.retrying = False
        self._told_nonces = False

    @property
    def key(self) -> bytes:
        """The own key."""
        return self.row.key

    @property
    def state(self) -> State:
        """Where this attempt stands."""
        return self.row.state

    @property
    def live(self) -> bool:
        """Whether it can still make progress."""
        return self.row.state not in OVER

    @property
    def broken_off(self) -> bool:
        """Whether it ended in the middle of a round, for a reason that may hide a cheat."""
        return self.row.nonce_sent and self.row.reason in BROKEN_OFF

    def fire(self, on: On, reaction: Reaction, detail: Detail = None) -> bool:
        """Apply an input; False if the table says that it changes nothing in this state."""
        step = TABLE.get((self.row.state, on))
        if step is None:
            return False
        _ACTIONS[step.do](self, reaction, detail)
        assert self.row.state in step.next, f"{on} led to {self.row.state}"
        return True

    def advance(self, reaction: Reaction) -> bool:
        """Take the next step if the transcript allows it; False if it does not. Judgements must have been made."""
        transcript = self.transcript
        match self.row.state:
            case State.JOINING if self.asked is None and transcript.joins.full:
                if reaction.now.wall_ms >= self.terms.record.expires:
                    return False
                return self.fire(On.ALL_JOINED, reaction)
            case State.ROUND1 if not self._told_nonces and transcript.nonceset is not None:
                return self.fire(On.ALL_NONCES, reaction)
            case _:
                return False

    def set_auto(self, reaction: Reaction, *, auto: bool) -> None:
        """The owner joins again: rounds that have not begun wait for the owner (`auto` False), or no longer do.

        Nothing changes once the partial signatures were requested: no round is left to wait.
        """
        made = self.row.state is State.ROUND2 or (self.row.state is State.ROUND1 and self.asked is not None)
        if not self.live or made or auto is self.row.auto:
            return
        begun = self.row.state is State.ROUND1
        self._set(reaction, auto=auto, want_round1=auto or (begun and self.row.want_round1), want_round2=auto)
        if auto:
            self.fire(On.START_ROUND2 if begun else On.START_ROUND1, reaction)

    def deadline_ms(self, now: Now) -> int | None:
        """When this state times out, on the monotonic clock; None in a final state."""
        until_expiry = now.mono_ms + self.terms.record.expires - now.wall_ms
        until_round = self.transcript.deadline_ms
        match self.row.state:
            case State.JOINING if self.asked is None or until_round is None:
                return until_expiry
            case State.READY:
                return until_expiry if until_round is None else min(until_expiry, until_round)
            case State.COMPLETE | State.ABORTED:
                return None
            case _:
                return until_round

    def overdue(self, now: Now) -> Ending:
        """The ending of a state whose time is over."""
        started = self.asked is not None or self.state.in_round
        if not started and self.transcript.joins.full and now.wall_ms >= self.terms.record.expires:
            return Ending(Reason.EXPIRED, missing=(self.key,))
        return Ending(TIMEOUT_OF[self.state], missing=self.waiting_for())

    def waiting_for(self) -> tuple[bytes, ...]:
        """The pubkeys without which this state cannot be left."""
        transcript = self.transcript
        match self.row.state:
            case State.JOINING if not transcript.joins.full:
                return transcript.absent(transcript.joins.mask)
            case State.READY:
                return transcript.absent(transcript.nonces.mask)
            case State.ROUND1 if transcript.nonceset is None:
                return transcript.absent(transcript.good_nonces)
            case State.ROUND2:
                return transcript.absent(transcript.good_partials)
            case State.JOINING | State.ROUND1:
                return (self.key,)
            case _:
                return self.row.missing

    def view(self, now: Now | None) -> SessionView:
        """What a client may see."""
        transcript, n = self.transcript, self.terms.n
        done = everyone(n) if self.state is State.COMPLETE else 0
        deadline = None if now is None else self.deadline_ms(now)
        return SessionView(
            self.row,
            _flags(transcript.joins.mask | done, n),
            _flags(transcript.nonces.mask | done, n),
            _flags(transcript.partials.mask | done, n),
            None if deadline is None or now is None else now.wall_ms + deadline - now.mono_ms,
            self.retrying,
        )

    def _stay(self, reaction: Reaction, detail: Detail) -> None:
        pass

    def _gather(self, reaction: Reaction, detail: Detail) -> None:
        self._emit(reaction, "session:ready")
        if self.row.auto or self.row.want_round1:
            self._ask_nonces(reaction)
        else:
            self._set(reaction, state=State.READY, all_joined_wall_ms=self.transcript.all_joined_wall_ms)

    def _remember_round1(self, reaction: Reaction, detail: Detail) -> None:
        if not self.row.want_round1:
            self._set(reaction, want_round1=True)

    def _remember_round2(self, reaction: Reaction, detail: Detail) -> None:
        if not self.row.want_round2:
            self._set(reaction, want_round2=True)

    def _begin(self, reaction: Reaction, detail: Detail) -> None:
        if reaction.now.wall_ms >= self.terms.record.expires:
            self._end(reaction, Ending(Reason.EXPIRED, missing=(self.key,)))
        elif self.asked is None:
            self._set(reaction, want_round1=True)
            self._ask_nonces(reaction)

    def _ask_nonces(self, reaction: Reaction) -> None:
        terms = self.terms
        items = tuple((keyagg, item.msg) for keyagg, item in zip(terms.keyaggs, terms.items, strict=True))
        self.asked = NeedNonces(self.row.session, self.key, items)
        reaction.add(self.asked)

    def _send_nonces(self, reaction: Reaction, detail: Detail) -> None:
        assert isinstance(detail, tuple)
        transcript = self.transcript
        assert transcript.joinset is not None
        self.asked = None
        message = self._seal(NonceBody(transcript.joinset, detail))
        transcript.nonces.put(self.index, message)
        self._save_message(reaction, message)
        self._set(reaction, state=State.ROUND1, nonce_sent=True, all_joined_wall_ms=transcript.all_joined_wall_ms)
        reaction.send(message)

    def _resend_nonces(self, reaction: Reaction, detail: Detail) -> None:
        self._resend(reaction, self.transcript.nonces[self.index])

    def _tell_nonces(self, reaction: Reaction, detail: Detail) -> None:
        self._told_nonces = True
        self._emit(reaction, "round1:complete")
        self._emit(reaction, "session:nonces-complete")
        if self.row.auto or self.row.want_round2:
            self._ask_partials(reaction)

    def _release(self, reaction: Reaction, detail: Detail) -> None:
        self._remember_round2(reaction, detail)
        if self._told_nonces:
            self._ask_partials(reaction)

    def _ask_partials(self, reaction: Reaction) -> None:
        if self.asked is None:
            self.asked = NeedPartials(self.row.session, self.key, self.index, self.transcript.contexts())
            reaction.add(self.asked)

    def _send_partials(self, reaction: Reaction, detail: Detail) -> None:
        assert isinstance(detail, tuple)
        transcript = self.transcript
        assert transcript.nonceset is not None
        self.asked = None
        message = self._seal(PartialBody(transcript.nonceset, detail))
        transcript.put_own_partial(self.index, message)
        for item in range(len(detail)):
            reaction.add(SaveLock(self.row.session, self.key, item, transcript.nonceset))
        self._save_message(reaction, message)
        self._set(reaction, state=State.ROUND2, partial_released=True, released_at_ms=reaction.now.wall_ms)
        reaction.send(message)

    def _resend_partials(self, reaction: Reaction, detail: Detail) -> None:
        self._resend(reaction, self.transcript.partials[self.index])

    def _finish(self, reaction: Reaction, detail: Detail) -> None:
        """A signature ends it, whoever made it. Culprits stay on record: the proof against them stands."""
        assert isinstance(detail, tuple)
        self._wipe(reaction)
        self.retrying = False
        self._set(reaction, state=State.COMPLETE, reason=None, scope=None, missing=(), superseded_by=None, by=None)
        self.tell_finished(reaction, detail)

    def _end(self, reaction: Reaction, detail: Detail) -> None:
        assert isinstance(detail, Ending)
        self._wipe(reaction)
        if self.row.state.in_round and detail.reason in BROKEN_OFF:
            reaction.broken_off.add(self.row.attempt)
        self.retrying = detail.retrying
        self._set(
            reaction,
            state=State.ABORTED,
            reason=detail.reason.value,
            scope=detail.scope.value,
            culprits=detail.culprits or self.row.culprits,
            missing=detail.missing,
            conflicting=detail.conflicting,
            by=detail.by,
            superseded_by=detail.superseded_by,
        )
        if detail.message is not None:
            self.abort = detail.message
        elif not detail.told:
            self.tell_abort(reaction, detail)
        self._emit(reaction, "session:aborted", **aborted_data(self.row, retrying=self.retrying, text=detail.text))

    def _accuse(self, reaction: Reaction, detail: Detail) -> None:
        """A proof that comes after the end takes the place of a lesser reason; of two proofs the first stays."""
        assert isinstance(detail, Ending)
        if self.row.reason not in PROVEN:
            self._end(reaction, detail)

    def _wake(self, reaction: Reaction, detail: Detail) -> None:
        self.asked = None
        match self.row.state:
            case State.ROUND2:
                self._told_nonces = True
                self._resend(reaction, self.transcript.partials[self.index])
            case _:
                join = self.transcript.joins[self.index]
                if join is not None:
                    reaction.send(join)

    def tell_finished(self, reaction: Reaction, signatures: tuple[bytes, ...]) -> None:
        """Tell clients of the signature."""
        told = {
            "signature": signatures[0],
            "signatures": signatures,
            **self.terms.aggregates(),
        }
        for event in ("round2:complete", "signature:finalized", "session:complete"):
            self._emit(reaction, event, **told)

    def tell_abort(self, reaction: Reaction, ending: Ending) -> None:
        """Make, store and send the abort message of an ending."""
        self.renew_abort(ending)
        if self.abort is not None:
            self._save_message(reaction, self.abort)
            reaction.send(self.abort)

    def renew_abort(self, ending: Ending) -> None:
        """Make the abort message of an ending; none where the own join was never stored."""
        if self.transcript.joins[self.index] is not None:
            self.abort = self._seal(AbortBody(ending.reason.value, ending.scope.value, ending.missing, shown(ending)))

    def forget_partials(self, reaction: Reaction, *, released: bool) -> None:
        """The own partial signatures could not be stored: they never leave this process."""
        self.transcript.drop_partial(self.index)
        self._set(reaction, partial_released=released, released_at_ms=self.row.released_at_ms if released else None)

    def _wipe(self, reaction: Reaction) -> None:
        if self.asked is not None or self.row.state is State.ROUND1:
            reaction.add(WipeNonces(self.row.session, self.key))
        self.asked = None

    def _seal(self, body: NonceBody | PartialBody | AbortBody) -> Signed[Message]:
        join = self.transcript.joins[self.index]
        assert join is not None
        return self.terms.seal(self.row.session, join.id, body)

    def _save_message(self, reaction: Reaction, message: Signed[Message]) -> None:
        seq = message.record.seq
        reaction.add(SaveMessage(message, self.row.session, self.index, seq, own=True))

    def _resend(self, reaction: Reaction, message: Signed[Message] | None) -> None:
        if message is not None:
            reaction.send(message)

    def _set(self, reaction: Reaction, **changes: object) -> None:
        self.row = self.row._replace(**changes)  # type: ignore[arg-type]  # names and types are checked by the tests
        reaction.save_row(self.row)

    def _emit(self, reaction: Reaction, event: str, **data: object) -> None:
        reaction.emit(event, self.row.session, self.row.attempt, (self.key,), **data)


def _flags(mask: int, n: int) -> tuple[bool, ...]:
    return tuple(bool(mask >> index & 1) for index in range(n))


_Action = Callable[[SigningSession, Reaction, Detail], None]
_ACTIONS: Mapping[Do, _Action] = {do: getattr(SigningSession, f"_{do.name.lower()}") for do in Do}
