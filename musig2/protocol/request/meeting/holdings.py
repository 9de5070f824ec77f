"""What peers hold of the highest attempt of a large request: they showed it, or were sent it over their connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import Join, Message, NonceBody, PartialBody
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.dealings import PEERS_PER_SIGNER, Dealing
from musig2.protocol.session.slots import from_bitmap
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Have, Signed

JOINS: Final = 0
NONCES: Final = 1
PARTIALS: Final = 2


@dataclass(slots=True)
class PeerHoldings:
    """What one peer holds."""

    attempt: int = 0
    masks: list[int] = field(default_factory=lambda: [0, 0, 0])  # sets of signers, by kind
    brings_own: bool = False  # it brought records of its own: nobody else may bring it those of others


class Holdings:
    """What all peers hold."""

    def __init__(self, terms: RequestTerms, attempts: Attempts) -> None:
        self._terms = terms
        self._attempts = attempts
        self._peers: dict[bytes, PeerHoldings] = {}

    def of(self, peer: bytes, attempt: int) -> PeerHoldings | None:
        """What that peer holds; None for another attempt than the highest."""
        if attempt != self._attempts.highest:
            return None
        found = self._peers.get(peer)
        if found is None:
            if len(self._peers) >= PEERS_PER_SIGNER * self._terms.n:
                self._peers.clear()
            found = self._peers[peer] = PeerHoldings()
        if found.attempt != attempt:
            found.attempt, found.masks = attempt, [0, 0, 0]
        return found

    def who_bring_own(self) -> Iterator[bytes]:
        """The peers that brought records of their own."""
        return (peer for peer, holding in self._peers.items() if holding.brings_own)

    def forget(self, peer: bytes) -> None:
        """The connection of a peer is gone: forget what was sent over it."""
        self._peers.pop(peer, None)

    def sent(self, signed: Signed[Any], peer: bytes | None) -> None:
        """A peer is being sent this record."""
        self._note(signed, peer)

    def took(self, signed: Signed[Any], peer: bytes) -> None:
        """A record came from that peer."""
        holding = self._note(signed, peer)
        author = signed.record.peer if isinstance(signed.record, Join) else signer_peer(signed)
        if holding is not None and author == peer:
            holding.brings_own = True

    def shown(self, have: Have, peer: bytes, sent: Dealing) -> None:
        """A peer said what it holds, and was sent the rest."""
        holding = self.of(peer, have.attempt)
        if holding is not None:
            shown = (have.joins, have.nonces, have.partials)
            recent = (sent.joins, sent.nonces, sent.partials)
            n = self._terms.n
            holding.masks = [from_bitmap(bitmap, n) | mask for bitmap, mask in zip(shown, recent, strict=True)]

    def _note(self, signed: Signed[Any], peer: bytes | None) -> PeerHoldings | None:
        place = self._place(signed)
        if place is None or peer is None:
            return None
        attempt, kind, index = place
        holding = self.of(peer, attempt)
        if holding is not None:
            holding.masks[kind] |= 1 << index
        return holding

    def _place(self, signed: Signed[Any]) -> tuple[int, int, int] | None:
        """Attempt, kind and signer of a join, nonce or partial signature; None where that is not known."""
        record = signed.record
        if isinstance(record, Join):
            index = self._terms.index_of.get(record.pubkey)
            return None if index is None else (record.attempt, JOINS, index)
        if not isinstance(record, Message) or not isinstance(record.body, NonceBody | PartialBody):
            return None
        attempt = self._terms.attempt_of.get(record.session)
        transcript = None if attempt is None else self._attempts.transcripts.get(attempt)
        signer = None if transcript is None else transcript.signer_of(signed)
        if attempt is None or signer is None:
            return None
        return attempt, NONCES if isinstance(record.body, NonceBody) else PARTIALS, signer
