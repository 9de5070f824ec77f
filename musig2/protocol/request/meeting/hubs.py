"""The hubs of a large request, as this daemon sees them: where it sends, where it asks, and whether it leads.

A hub leads if no earlier one is connected; the creator always does. When the connection to a hub is lost, its
signers turn to the next one at once; when it says nothing, after seconds (`asked`).
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.meeting.topology import hub_order, hubs_of
from musig2.protocol.session.slots import everyone, members
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript

FEW: Final = 4  # so many signers are asked at a time, in turn


class Hubs:
    """The hubs of one request. Signers are named by their index."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, heard: Set[bytes]) -> None:
        """`heard`: the peers that are connected."""
        self._terms = terms
        self._attempts = attempts
        self._heard = heard
        self._order = hub_order(terms.id, terms.n, terms.index_of[terms.record.creator])
        self._turn = 0
        self._found: tuple[int, list[int]] = (-1, [])  # how many joins were known, and the hubs that follow from them

    def positions(self) -> list[int]:
        """The signers that are hubs, in order; may include own ones."""
        joined = sum(transcript.joins.filled for transcript in self._attempts.transcripts.values())
        if self._found[0] != joined:
            self._found = (joined, hubs_of(self._order, self._peer_of))
        return self._found[1]

    @property
    def leads(self) -> bool:
        """Whether this daemon is a hub, and no earlier one is connected."""
        for index in self.positions():
            if self._is_own(index):
                return True
            if self._is_up(index):
                return False
        return False

    @property
    def is_one(self) -> bool:
        """Whether an own signer is a hub."""
        return any(self._is_own(index) for index in self.positions())

    def next(self) -> list[int]:
        """The first other hub that is connected; all hubs while none is."""
        others = self._others()
        return [index for index in others if self._is_up(index)][:1] or others

    def next_peers(self) -> frozenset[bytes | None]:
        """The peers of the next hubs."""
        return frozenset(map(self._attempts.peer_of, self.next()))

    def is_hub(self, peer: bytes) -> bool:
        """Whether that peer is the peer of a hub."""
        return any(self._attempts.peer_of(index) == peer for index in self.positions())

    def witnesses(self) -> list[int]:
        """Whom to show what others contributed, after a round was broken off: one hub that has it from elsewhere."""
        up = [index for index in self._others() if self._is_up(index)]
        return up[:1] if self.leads else up[1:2]

    def asked(self, silent: int, transcript: Transcript) -> list[int]:
        """The signers to ask for what is missing, after so many turns in which nothing came.

        While joins are missing one waits for people: the first hub is asked, and of the others one in turn. Once the
        rounds have begun a silent hub is suspect: the next one is asked, too, in the end all, and other signers in
        turn. Who leads asks those who have not said what all wait for.
        """
        others = self._others()
        up = [index for index in others if self._is_up(index)]
        if self.leads:
            return list(dict.fromkeys([*up[:1], *self._in_turn(self._missing(transcript))]))
        if not transcript.joins.full:
            return list(dict.fromkeys([*up[:1], others[silent % len(others)]])) if others else []
        if silent < len(up):
            return up[: silent + 1]
        no_hubs = everyone(self._terms.n) & ~self._terms.own_mask & ~sum(1 << index for index in others)
        return [*others, *self._in_turn(list(members(no_hubs)))]

    def _missing(self, transcript: Transcript) -> list[int]:
        filled = transcript.joins.mask
        for later in (transcript.nonces, transcript.partials):
            filled = later.mask if filled == everyone(self._terms.n) else filled
        return list(members(everyone(self._terms.n) & ~filled & ~self._terms.own_mask))

    def _in_turn(self, indices: list[int]) -> list[int]:
        if len(indices) > FEW:
            start = self._turn % len(indices)
            self._turn += FEW
            indices = (indices[start:] + indices[:start])[:FEW]
        return indices

    def _others(self) -> list[int]:
        return [index for index in self.positions() if not self._is_own(index)]

    def _is_own(self, index: int) -> bool:
        return bool(self._terms.own_mask >> index & 1)

    def _peer_of(self, index: int) -> bytes | None:
        return self._terms.own_peer if self._is_own(index) else self._attempts.peer_of(index)

    def _is_up(self, index: int) -> bool:
        """Whether a signer is connected. The creator brought the request, and counts before its peer is known."""
        peer = self._attempts.peer_of(index)
        return index == self._order[0] if peer is None else peer in self._heard
