"""What is known of one attempt: joins, nonces, partial signatures, and what follows from them.

    joins of all n  ->  joinset  ->  nonces made for it  ->  nonceset, session contexts  ->  partials under it

Shared by all own keys of this daemon, so that everything foreign is stored and verified once. Everything computed here
is computed once per attempt: the set hashes, the aggregate nonces, and the judgement of each contribution.
A contribution is judged only under the set it names; one that names another set stays in its slot unjudged.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from musig2 import InvalidContributionError, MusigError, SessionContext
from musig2.protocol.interface.inputs import Now
from musig2.protocol.records.ids import joinset, nonceset
from musig2.protocol.records.records import Body, Join, Message, NonceBody, PartialBody
from musig2.protocol.session.slots import Put, Slots, everyone, members
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Signed


class ContributionVerdict(Enum):
    """The verdict on a contribution."""

    GOOD = auto()
    OTHER_SET = auto()  # names another join set or nonce set: nobody can be blamed for that alone
    BAD = auto()  # proven: does not parse, or fails verification under the set it names


class Transcript:
    """One attempt of one request, as far as this daemon has seen it."""

    def __init__(self, terms: RequestTerms, attempt: int) -> None:
        self.terms = terms
        self.attempt = attempt
        self.session = terms.session(attempt)
        self.joins: Slots[Join] = Slots(terms.n)
        self.nonces: Slots[Message] = Slots(terms.n)
        self.partials: Slots[Message] = Slots(terms.n)
        self.aborts: Slots[Message] = Slots(terms.n)
        self.all_joined_wall_ms: int | None = None  # when this daemon knew all joins
        self.deadline_ms: int | None = None  # when the rounds must be over, monotonic
        self.good_nonces = 0  # sets of signers
        self.good_partials = 0
        self._seen_nonces = 0
        self._seen_partials = 0
        self._index_of_join: dict[bytes, int] = {}
        self._joinset: bytes | None = None
        self._nonceset: bytes | None = None
        self._contexts: tuple[SessionContext, ...] = ()
        self._signatures: tuple[bytes, ...] = ()

    def put_join(self, index: int, join: Signed[Join]) -> Put:
        """Offer a join to its signer's slot."""
        put = self.joins.put(index, join)
        if put is Put.STORED:
            self._index_of_join[join.id] = index
        return put

    def start_clock(self, now: Now) -> None:
        """All joins are known: the rounds have `round_ms` from here on."""
        self.all_joined_wall_ms = now.wall_ms
        self.deadline_ms = now.mono_ms + self.terms.record.round_ms

    def resume_clock(self, now: Now, all_joined_wall_ms: int) -> None:
        """After a restart: what is left of `round_ms`, never more than all of it."""
        left = self.terms.record.round_ms - (now.wall_ms - all_joined_wall_ms)
        self.all_joined_wall_ms = all_joined_wall_ms
        self.deadline_ms = now.mono_ms + min(max(left, 0), self.terms.record.round_ms)

    def signer_of(self, message: Signed[Message]) -> int | None:
        """The signer whose join the message names; None if that join is not here (yet)."""
        return self._index_of_join.get(message.record.join)

    def peer_of(self, index: int) -> bytes | None:
        """The peer that this signer's join delegates the attempt to."""
        join = self.joins[index]
        return None if join is None else join.record.peer

    @property
    def joinset(self) -> bytes | None:
        """What every nonce must be made for; None until all have joined."""
        if self._joinset is None and self.joins.full:
            self._joinset = joinset(self.session, (join.id for join in self.joins))
        return self._joinset

    @property
    def nonceset(self) -> bytes | None:
        """What every partial signature must answer; None until all nonces are good."""
        if self._nonceset is None and self.good_nonces == everyone(self.terms.n) and self.joinset is not None:
            self._nonceset = nonceset(self.joinset, self.pubnonces())
        return self._nonceset

    @property
    def complete(self) -> bool:
        """Whether every partial signature is here and good."""
        return self.good_partials == everyone(self.terms.n)

    def pubnonces(self) -> list[tuple[bytes, ...]]:
        """The public nonces by signer; only what is in the slots."""
        return [message.record.body.pubnonces for message in self.nonces if isinstance(message.record.body, NonceBody)]

    def contexts(self) -> tuple[SessionContext, ...]:
        """One session context per item. All nonces must be good."""
        if not self._contexts:
            scheme = self.terms.scheme
            by_item = zip(*self.pubnonces(), strict=True)
            self._contexts = tuple(
                scheme.session(keyagg, scheme.nonce_agg(pubnonces), item.msg)
                for keyagg, pubnonces, item in zip(self.terms.keyaggs, by_item, self.terms.items, strict=True)
            )
        return self._contexts

    def parses(self, message: Signed[Message]) -> bool:
        """Whether a nonce message holds one usable public nonce per item."""
        body = message.record.body
        return isinstance(body, NonceBody) and usable_nonces(self.terms, body)

    def judge_nonces(self) -> Iterator[tuple[int, ContributionVerdict]]:
        """The nonces not judged yet, once all joins are known."""
        if self.joinset is None:
            return
        for index in members(self.nonces.mask & ~self._seen_nonces):
            self._seen_nonces |= 1 << index
            message = self.nonces[index]
            if message is None or not isinstance(message.record.body, NonceBody):
                continue
            if message.record.body.joinset == self.joinset:
                self.good_nonces |= 1 << index
                yield index, ContributionVerdict.GOOD
            else:
                yield index, ContributionVerdict.OTHER_SET

    def judge_partials(self) -> Iterator[tuple[int, ContributionVerdict]]:
        """The partial signatures not judged yet, once all nonces are good.

        Where they are the last ones, the signature shows in one verification that all are good.
        """
        if self.nonceset is None:
            return
        unseen = self.partials.mask & ~self._seen_partials
        if unseen and self._they_sign(unseen):
            self._seen_partials |= unseen
            self.good_partials |= unseen
            yield from ((index, ContributionVerdict.GOOD) for index in members(unseen))
            return
        for index in members(unseen):
            self._seen_partials |= 1 << index
            message = self.partials[index]
            if message is None or not isinstance(message.record.body, PartialBody):
                continue
            if message.record.body.nonceset != self.nonceset:
                yield index, ContributionVerdict.OTHER_SET
            elif self.verifies(index, message.record.body.psigs):
                self.good_partials |= 1 << index
                yield index, ContributionVerdict.GOOD
            else:
                yield index, ContributionVerdict.BAD

    def _they_sign(self, unseen: int) -> bool:
        """Whether these partial signatures and the good ones are those of all signers and make valid signatures."""
        if self.good_partials | unseen != everyone(self.terms.n):
            return False
        if not all(_answers(message.record.body, self.nonceset, len(self.terms.items)) for message in self.partials):
            return False
        try:
            self._signatures = self.aggregate()
        except (MusigError, ValueError):
            return False
        return True

    def verifies(self, index: int, psigs: tuple[bytes, ...]) -> bool:
        """Whether these are the partial signatures of that signer for all items."""
        nonces = self.nonces[index]
        if nonces is None or not isinstance(nonces.record.body, NonceBody):
            return False
        return verify_psigs(self.terms, index, psigs, nonces.record.body.pubnonces, self.contexts())

    def put_own_partial(self, index: int, message: Signed[Message]) -> None:
        """An own partial signature, verified before it came here."""
        self.partials.put(index, message)
        self._seen_partials |= 1 << index
        self.good_partials |= 1 << index

    def drop_partial(self, index: int) -> None:
        """Take back an own partial signature that could not be stored: it is never sent."""
        self._signatures = ()
        self.partials.clear(index)
        self._seen_partials &= ~(1 << index)
        self.good_partials &= ~(1 << index)

    def aggregate(self) -> tuple[bytes, ...]:
        """The final signatures, verified. InvalidContributionError if they are not, which good partials rule out."""
        if self._signatures:
            return self._signatures
        bodies = [message.record.body for message in self.partials]
        rows = [body.psigs for body in bodies if isinstance(body, PartialBody)]
        by_item = zip(*rows, strict=True)
        return tuple(
            self.terms.scheme.partial_sig_agg(psigs, context)
            for psigs, context in zip(by_item, self.contexts(), strict=True)
        )

    def absent(self, have: int) -> tuple[bytes, ...]:
        """The pubkeys of the signers that are not in a set."""
        return tuple(self.terms.keys[index] for index in members(everyone(self.terms.n) & ~have))


def _answers(body: Body, nonceset: bytes | None, items: int) -> bool:
    return isinstance(body, PartialBody) and body.nonceset == nonceset and len(body.psigs) == items


def usable_nonces(terms: RequestTerms, body: NonceBody) -> bool:
    """Whether there is one public nonce per item and each is a pair of points, neither at infinity."""
    if len(body.pubnonces) != len(terms.items):
        return False
    try:
        for pubnonce in body.pubnonces:
            terms.scheme.validate_pubnonce(pubnonce)
    except (MusigError, ValueError):
        return False
    return True


def verify_psigs(
    terms: RequestTerms,
    index: int,
    psigs: tuple[bytes, ...],
    pubnonces: tuple[bytes, ...],
    contexts: tuple[SessionContext, ...],
) -> bool:
    """Whether a signer's partial signatures hold for every item under its own public nonces."""
    if len(psigs) != len(contexts):
        return False
    key = terms.keys[index]
    try:
        return all(
            terms.scheme.partial_sig_verify(psig, pubnonce, key, context, index)
            for psig, pubnonce, context in zip(psigs, pubnonces, contexts, strict=True)
        )
    except (InvalidContributionError, ValueError):
        return False
