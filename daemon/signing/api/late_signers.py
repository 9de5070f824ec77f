"""What a missing signature waits for: the signers that are late, and the method that the caller must call next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from daemon.signing.api.errors import NotReady
from musig2.protocol.interface.effects import SessionRow

Signers: TypeAlias = Sequence[Mapping[str, object]]  # as a session or a request shows them

# What each signer must contribute, in order, and the method that lets an own key do so.
_STEPS = (("joined", "joinSigningRequest"), ("nonce", "startRound1"), ("partialSignature", "startRound2"))
_GOES_ON = frozenset({"nonce_lost", "superseded"})  # the next attempt starts by itself


def not_ready(
    phase: str, reason: str | None, signers: Signers, rows: Sequence[SessionRow], own: Collection[str]
) -> NotReady:
    """`phase`, `reason` and `signers` of the session, or of the request while no own key has joined.

    `rows` and `own`: of the caller's keys only.
    """
    late, call = _after_abort(reason, rows) if phase == "aborted" else _late(signers, rows, own)
    asked = [key for signer in signers if "consideringSince" in signer and (key := str(signer["publicKey"])) in late]
    return NotReady(phase, late, call, asked)


def _late(signers: Signers, rows: Sequence[SessionRow], own: Collection[str]) -> tuple[list[str], str | None]:
    for step, call in _STEPS:
        late = [str(signer["publicKey"]) for signer in signers if not signer.get(step)]
        if late:
            return late, call if _is_mine(late, call, rows, own) else None
    return [], None


def _is_mine(late: Collection[str], call: str, rows: Sequence[SessionRow], own: Collection[str]) -> bool:
    match call:
        case "startRound1":
            held = {row.key.hex() for row in rows if not (row.auto or row.want_round1)}
        case "startRound2":
            held = {row.key.hex() for row in rows if not (row.auto or row.want_round2)}
        case _:
            held = set(own)
    return not held.isdisjoint(late)


def _after_abort(reason: str | None, rows: Sequence[SessionRow]) -> tuple[list[str], str | None]:
    if reason in _GOES_ON:
        return [], None
    return [row.key.hex() for row in rows], "joinSigningRequest"
