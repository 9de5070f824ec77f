"""The state table of one attempt, as data: what may happen in which state, and where it leads.

Theory of operation. An attempt waits for the joins of all n signers (joining), then for its owner if that is wanted
(ready), exchanges public nonces (round 1), exchanges partial signatures (round 2), and ends complete or aborted.
Whoever holds all partial signatures holds the signature, so a valid final signature ends everything, even an aborted
attempt. Nothing else leads out of an aborted one.

The cells are ordered as docs/sessions.md shows them; a test compares the two. An input that is not in the table changes
nothing in that state. `SigningSession.fire` asserts that an action led to one of the states named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from musig2.protocol.interface.effects import State


class On(StrEnum):
    """What may happen to an attempt, in the words of docs/sessions.md."""

    JOIN = "valid join, slot empty"
    ALL_JOINED = "n joins"
    START_ROUND1 = "startRound1"
    NONCES_MADE = "own nonces made"
    NONCE = "nonce, slot empty"
    ALL_NONCES = "n nonces, joinset = ours"
    START_ROUND2 = "startRound2"
    PARTIALS_MADE = "own partials made"
    PARTIAL = "partial, slot empty"
    ALL_PARTIALS = "n good partials"
    COMPLETE = "complete, verifies"
    PROOF = "proof against a signer"
    JOIN_CONFLICT = "two joins of one key"
    ABORT = "abort from a joined signer"
    ENDED = "decline, cancel"
    SUPERSEDED = "own join of a higher attempt"
    DEADLINE = "time is over"
    OWNER = "user abort, lock, close"
    SAVE_FAILED = "a save fails"
    REFUSED = "signer port refuses"
    RESTARTED = "restart"


class Do(StrEnum):
    """The actions of `SigningSession`."""

    STAY = "nothing but what the request does"
    GATHER = "tell that all are here; nonces are made, or the owner is waited for"
    REMEMBER_ROUND1 = "remember that the owner wants nonces"
    REMEMBER_ROUND2 = "remember that the owner wants partials"
    BEGIN = "make nonces"
    SEND_NONCES = "store and send the own nonces"
    RESEND_NONCES = "send the stored nonces again"
    TELL_NONCES = "tell that all nonces are here; partials are made, or the owner is waited for"
    RELEASE = "make partials, once all nonces are here"
    SEND_PARTIALS = "store, lock and send the own partials"
    RESEND_PARTIALS = "send the stored partials again"
    FINISH = "store and tell the signature"
    END = "store, send and tell why"
    ACCUSE = "add the proof to what is stored, send it"
    WAKE = "send again what is stored"


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the table."""

    next: frozenset[State]
    do: Do


def _row(do: Do, *cells: tuple[State, tuple[State, ...]]) -> dict[State, Step]:
    return {state: Step(frozenset(leads_to), do) for state, leads_to in cells}


_J, _R, _1, _2, _C, _A = State
_LIVE = tuple(state for state in State if state.live)


def _stay(do: Do, *states: State) -> dict[State, Step]:
    return _row(do, *((state, (state,)) for state in states))


def _all_to(do: Do, target: State, *states: State) -> dict[State, Step]:
    return _row(do, *((state, (target,)) for state in states))


_BY_INPUT: Mapping[On, dict[State, Step]] = {
    On.JOIN: _stay(Do.STAY, _J),
    On.ALL_JOINED: _row(Do.GATHER, (_J, (_J, _R))),
    On.START_ROUND1: _stay(Do.REMEMBER_ROUND1, _J) | _row(Do.BEGIN, (_R, (_R, _A))) | _stay(Do.RESEND_NONCES, _1),
    On.NONCES_MADE: _all_to(Do.SEND_NONCES, _1, _J, _R),
    On.NONCE: _stay(Do.STAY, _J, _R, _1),
    On.ALL_NONCES: _stay(Do.TELL_NONCES, _1),
    On.START_ROUND2: _stay(Do.REMEMBER_ROUND2, _J, _R) | _stay(Do.RELEASE, _1) | _stay(Do.RESEND_PARTIALS, _2),
    On.PARTIALS_MADE: _all_to(Do.SEND_PARTIALS, _2, _1),
    On.PARTIAL: _stay(Do.STAY, _J, _R, _1, _2),
    On.ALL_PARTIALS: _all_to(Do.FINISH, _C, _2),
    On.COMPLETE: _all_to(Do.FINISH, _C, *_LIVE, _A),
    On.PROOF: _all_to(Do.END, _A, *_LIVE) | _stay(Do.ACCUSE, _A),
    On.JOIN_CONFLICT: _all_to(Do.END, _A, *_LIVE),
    On.ABORT: _all_to(Do.END, _A, *_LIVE),
    On.ENDED: _all_to(Do.END, _A, *_LIVE),
    On.SUPERSEDED: _all_to(Do.END, _A, *_LIVE),
    On.DEADLINE: _all_to(Do.END, _A, *_LIVE),
    On.OWNER: _all_to(Do.END, _A, *_LIVE),
    On.SAVE_FAILED: _all_to(Do.END, _A, *_LIVE),
    On.REFUSED: _all_to(Do.END, _A, *_LIVE),
    On.RESTARTED: _stay(Do.WAKE, _J, _R, _2) | _all_to(Do.END, _A, _1),
}

TABLE: Mapping[tuple[State, On], Step] = {
    (state, on): step for on, cells in _BY_INPUT.items() for state, step in cells.items()
}
