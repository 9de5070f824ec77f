"""Verifies proofs of misbehaviour: a third party needs only signed records.

    from musig2.protocol.blame.evidence import verify_evidence
    verify_evidence(request_envelope, envelopes)  ->  [(pubkey, reason), ...]

    equivocation           two different nonce (or partial) messages under one join
    invalid_contribution   a nonce message that does not hold one pair of points per item
    bad_partial            a partial that fails under the nonce set it names, shown with all joins and nonce messages
    join_conflict          two joins of one key in one attempt: says that the key is used twice, not that it cheats

A message speaks for a signer because the signer's join delegates the attempt to the peer that signed the message.
Envelopes that are malformed, badly signed or of another request prove nothing and are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from musig2.protocol.blame.endings import Reason
from musig2.protocol.errors import BadEncoding, BadSignature
from musig2.protocol.records.envelope import check_many, open_envelope, signer_peer
from musig2.protocol.records.records import Join, Message, PartialBody, Request
from musig2.protocol.session.slots import Put
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import ContributionVerdict, Transcript
from musig2.protocol.wire.frames import Signed

MAX_ENVELOPE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class ProvenFault:
    """Something proven about a signer, with the records that prove it (the accused signer's own ones first)."""

    pubkey: bytes
    reason: Reason
    attempt: int
    evidence: tuple[Signed[Any], ...]


def verify_evidence(request_envelope: bytes, envelopes: Sequence[bytes]) -> list[tuple[bytes, str]]:
    """What these envelopes prove about signers of this request, as (pubkey, reason); empty if nothing.

    BadEncoding or BadSignature if the request itself is broken.
    """
    request = open_envelope(request_envelope, max_bytes=MAX_ENVELOPE_BYTES)
    if not isinstance(request.record, Request):
        raise BadEncoding("an envelope that holds no request")
    if not check_many([request])[0]:
        raise BadSignature("request")
    terms = RequestTerms(Signed(request.record, request.id, request.envelope), frozenset(), _unable_to_sign, b"")
    return [(finding.pubkey, finding.reason.value) for finding in examine(terms, open_all(envelopes))]


def open_all(envelopes: Iterable[bytes]) -> list[Signed[Any]]:
    """The envelopes that can be read and whose signatures hold."""
    opened = []
    for envelope in envelopes:
        try:
            opened.append(open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES))
        except BadEncoding:
            continue
    good = check_many(opened)
    return [signed for signed, holds in zip(opened, good, strict=True) if holds]


def examine(terms: RequestTerms, records: Iterable[Signed[Any]]) -> list[ProvenFault]:
    """What records, whose signatures hold, prove about signers of a request. At most one finding per signer."""
    case = _Case(terms)
    records = list(records)
    findings: dict[bytes, ProvenFault] = {}
    for kind in (Join, Message):
        for signed in records:
            if isinstance(signed.record, kind):
                for finding in case.take(signed):
                    findings.setdefault(finding.pubkey, finding)
    for finding in case.judge():
        findings.setdefault(finding.pubkey, finding)
    return list(findings.values())


class _Case:
    """The records of a case, sorted into transcripts."""

    def __init__(self, terms: RequestTerms) -> None:
        self._terms = terms
        self._transcripts: dict[int, Transcript] = {}
        self._spoiled: set[int] = set()  # attempts with contradictions: no single set to judge partials under
        self._joins: dict[bytes, tuple[int, Signed[Join]]] = {}

    def take(self, signed: Signed[Any]) -> Iterator[ProvenFault]:
        """Sort one record in. All joins must come before the first message."""
        record = signed.record
        if isinstance(record, Join):
            yield from self._take_join(signed)
        elif isinstance(record, Message):
            yield from self._take_message(signed)

    def _take_join(self, signed: Signed[Join]) -> Iterator[ProvenFault]:
        record, terms = signed.record, self._terms
        index = terms.index_of.get(record.pubkey)
        if (
            index is None
            or record.request != terms.id
            or record.scheme != terms.record.scheme
            or record.attempt > terms.max_attempts
        ):
            return
        transcript = self._transcripts.setdefault(record.attempt, Transcript(terms, record.attempt))
        self._joins.setdefault(signed.id, (index, signed))
        first = transcript.joins[index]
        if transcript.put_join(index, signed) is Put.CONFLICT and first is not None:
            self._spoiled.add(record.attempt)
            yield ProvenFault(record.pubkey, Reason.JOIN_CONFLICT, record.attempt, (first, signed))

    def _take_message(self, signed: Signed[Message]) -> Iterator[ProvenFault]:
        message = signed.record
        index, join = self._joins.get(message.join, (0, None))
        if join is None or message.session != self._terms.session(join.record.attempt) or message.seq not in (1, 2):
            return
        if signer_peer(signed) != join.record.peer:
            return
        attempt, key = join.record.attempt, join.record.pubkey
        transcript = self._transcripts[attempt]
        counted = transcript.joins[index]
        if counted is None or counted.id != join.id:
            return
        slots = transcript.nonces if message.seq == 1 else transcript.partials
        first = slots[index]
        if slots.put(index, signed) is Put.CONFLICT and first is not None:
            self._spoiled.add(attempt)
            yield ProvenFault(key, Reason.EQUIVOCATION, attempt, (first, signed, join))
        elif message.seq == 1 and not transcript.parses(signed):
            self._spoiled.add(attempt)
            yield ProvenFault(key, Reason.INVALID_CONTRIBUTION, attempt, (signed, join))

    def judge(self) -> Iterator[ProvenFault]:
        """The partial signatures that fail under the nonce set they name."""
        for attempt, transcript in self._transcripts.items():
            if attempt in self._spoiled:
                continue
            list(transcript.judge_nonces())
            for index, verdict in transcript.judge_partials():
                partial = transcript.partials[index]
                if (
                    verdict is ContributionVerdict.BAD
                    and partial is not None
                    and isinstance(partial.record.body, PartialBody)
                ):
                    shown = (partial, *transcript.joins, *transcript.nonces)
                    yield ProvenFault(self._terms.keys[index], Reason.BAD_PARTIAL, attempt, shown)


def _unable_to_sign(_: bytes) -> bytes:
    raise AssertionError("judging evidence signs nothing")
