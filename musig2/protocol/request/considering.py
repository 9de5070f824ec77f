"""The required signers that have said that they wait for their owner, so that an open request is known to be alive.

A hint for people and their clients. It changes no attempt and no clock; the first one of a key counts, and it is over
with the key's join or the end of the request. The creator sends on what it is told, because the others may not know
each other yet.
"""

from __future__ import annotations

from musig2.protocol.interface.effects import SaveRecord
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import Considering
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Signed


class Considerations:
    """The considerings of one request: at most one of each key."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, conclusion: Conclusion) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._by_key: dict[bytes, Signed[Considering]] = {}

    def take(self, signed: Signed[Considering], peer: bytes | None, reaction: Reaction) -> None:
        """Take one from a peer, or one that was made here (None)."""
        record, terms = signed.record, self._terms
        if record.request != terms.id or record.scheme != terms.record.scheme or record.pubkey not in terms.index_of:
            return
        own = record.pubkey in terms.own_keys
        if own != (peer is None) or record.pubkey in self._by_key or self._is_over(record.pubkey):
            return
        self._by_key[record.pubkey] = signed
        reaction.add(SaveRecord(terms.id, None, signed))
        told = {"publicKey": record.pubkey, "consideringSince": record.ts}
        reaction.emit("signing-request:considering", None, None, terms.own_keys, **told)
        if own:
            reaction.send(signed)
        elif terms.record.creator in terms.own_keys:
            self._send_on(signed, reaction)

    def restore(self, signed: Signed[Considering]) -> None:
        """Restore a stored one."""
        self._by_key[signed.record.pubkey] = signed

    def greet(self, peer: bytes, reaction: Reaction) -> None:
        """The peer of a signer has connected: send it the own ones."""
        for signed in self.pending():
            if signed.record.pubkey in self._terms.own_keys:
                reaction.send(signed, peer=peer)

    def pending(self) -> list[Signed[Considering]]:
        """The considerings that are not over."""
        return [signed for key, signed in self._by_key.items() if not self._is_over(key)]

    def _is_over(self, key: bytes) -> bool:
        current = self._attempts.current
        return self._conclusion.final or (current is not None and current.joins[self._terms.index_of[key]] is not None)

    def _send_on(self, signed: Signed[Considering], reaction: Reaction) -> None:
        besides = self._terms.own_mask | 1 << self._terms.index_of[signed.record.pubkey]
        for index in range(self._terms.n):
            if not besides >> index & 1:
                reaction.send(signed, to=index)
