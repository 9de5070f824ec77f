"""The records that prove a signer's misbehaviour, collected from a transcript.

equivocation           the join, and both messages
invalid_contribution   the join, and the nonce message
bad_partial            all joins, all nonce messages, and the partial signature
join_conflict          both joins; proves that the key was used twice, and accuses nobody
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from musig2.protocol.blame.endings import Ending, EndingScope, Reason
from musig2.protocol.records.field_rules import MAX_EVIDENCE, MAX_EVIDENCE_BYTES
from musig2.protocol.records.records import Join, Message
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Signed


def equivocation(transcript: Transcript, index: int, first: Signed[Message], second: Signed[Message]) -> Ending:
    """Two messages of one signer that contradict each other."""
    return _proof(transcript, Reason.EQUIVOCATION, index, (first, second, *_join(transcript, index)))


def invalid_nonce(transcript: Transcript, index: int, message: Signed[Message]) -> Ending:
    """A nonce message that does not hold one usable nonce per item."""
    return _proof(transcript, Reason.INVALID_CONTRIBUTION, index, (message, *_join(transcript, index)))


def bad_partial(transcript: Transcript, index: int) -> Ending:
    """The partial signature in a signer's slot, which fails under the very nonce set that it names."""
    partial = transcript.partials[index]
    assert partial is not None
    return _proof(transcript, Reason.BAD_PARTIAL, index, (partial, *transcript.joins, *transcript.nonces))


def join_conflict(transcript: Transcript, index: int, first: Signed[Join], second: Signed[Join]) -> Ending:
    """Two joins of one key in one attempt: a clone, a restored backup, or a stolen key."""
    key = transcript.terms.keys[index]
    return Ending(Reason.JOIN_CONFLICT, EndingScope.REQUEST, conflicting=(key,), evidence=(first, second))


def shown(ending: Ending) -> tuple[bytes, ...]:
    """The envelopes that go with the abort message of an ending.

    If the limits of a message do not allow all of them, only what the accused signed: the others hold the rest
    themselves, and the whole proof is stored.
    """
    envelopes = tuple(signed.envelope for signed in ending.evidence)
    if len(envelopes) > MAX_EVIDENCE:
        envelopes = envelopes[:1]
    return envelopes if all(len(envelope) <= MAX_EVIDENCE_BYTES for envelope in envelopes) else ()


def _proof(transcript: Transcript, reason: Reason, index: int, evidence: Iterable[Signed[Any]]) -> Ending:
    culprit = transcript.terms.keys[index]
    return Ending(reason, EndingScope.REQUEST, culprits=(culprit,), evidence=tuple(evidence))


def _join(transcript: Transcript, index: int) -> tuple[Signed[Join], ...]:
    join = transcript.joins[index]
    return () if join is None else (join,)
