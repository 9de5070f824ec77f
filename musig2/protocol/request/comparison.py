"""After a round was broken off (time, another's abort): contributions of others are shown to a few signers.

A signer that sent two versions may have caused it, and comparing exposes it.
In a large request one hub compares for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import Message
from musig2.protocol.request.meeting.hubs import Hubs
from musig2.protocol.session.slots import members
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Signed

COMPARED: Final = 3


class Comparison:
    """The comparison of one request. `hubs`: None if all signers are connected to each other."""

    def __init__(self, terms: RequestTerms, hubs: Hubs | None) -> None:
        self._terms = terms
        self._hubs = hubs

    def begin(self, transcript: Transcript, reaction: Reaction) -> None:
        """Show the next few signers, or a hub, what others contributed."""
        for index in self._next_few() if self._hubs is None else self._hubs.witnesses():
            for signed in self._contributed(transcript, self._terms.own_mask | 1 << index):
                reaction.send(signed, to=index)

    def begin_with(self, transcript: Transcript, peer: bytes, reaction: Reaction) -> None:
        """The same with a peer that has just connected."""
        if self._hubs is not None and not self._hubs.is_hub(peer):
            return
        theirs = sum(1 << index for index in range(self._terms.n) if transcript.peer_of(index) == peer)
        if theirs:
            for signed in self._contributed(transcript, self._terms.own_mask | theirs):
                reaction.send(signed, peer=peer)

    def _next_few(self) -> list[int]:
        """The next other signers in the list."""
        own = self._terms.own_mask
        others = [index for index in range(self._terms.n) if not own >> index & 1]
        first = next((k for k, index in enumerate(others) if index > own.bit_length() - 1), 0)
        return (others[first:] + others[:first])[:COMPARED]

    def _contributed(self, transcript: Transcript, besides: int) -> Iterator[Signed[Message]]:
        for slots in (transcript.nonces, transcript.partials):
            for index in members(slots.mask & ~besides):
                signed = slots[index]
                if signed is not None:
                    yield signed
