"""Malicious signers, one class a kind of lie. Each runs an honest machine and changes what leaves for a peer."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from musig2 import scheme
from musig2.protocol.interface.inputs import JoinReady
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import AbortBody, Body, Join, Message, NonceBody, PartialBody
from musig2.protocol.wire.frames import Complete, Frame, Have, Signed
from tests.protocol.sim.node import Node


class Liar(Node):
    """One signer that cheats. `lie` sees each own session message before it leaves for a peer."""

    proven: frozenset[str] = frozenset()  # reasons that honest signers may prove against it
    named: frozenset[str] = frozenset()  # reasons that name it without accusing it

    def outgoing(self, frame: Frame, peer: bytes) -> list[Frame]:
        if isinstance(frame, Signed) and isinstance(frame.record, Message) and self._mine(frame.record):
            return self.lie(cast("Signed[Message]", frame), peer)
        return self.other(frame, peer)

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        return [message]

    def other(self, frame: Frame, peer: bytes) -> list[Frame]:
        return [frame]

    def without_signature(self, frame: Frame, peer: bytes) -> list[Frame]:
        """Keep the final signature, which this signer can make of the partials of the others, to itself."""
        return [] if isinstance(frame, Complete) else [frame]

    def say(self, original: Signed[Message], body: Body) -> Signed[Message]:
        """The same message with another body, properly signed."""
        return seal(replace(original.record, body=body), self.identity.sign, peer=self.peer)

    def victims(self) -> list[bytes]:
        """The peers of the other signers, in a fixed order."""
        return sorted(set(self.routes.values()))

    def _mine(self, message: Message) -> bool:
        joins = (join for join in self.store.joins.values() if join.own)
        return any(join.join.id == message.join for join in joins)

    def fresh_nonces(self) -> tuple[bytes, ...]:
        """Other public nonces than those of the machine; usable ones."""
        rules = scheme(self.request.record.scheme)
        keyagg = rules.key_agg(self.request.record.keys)
        secret = next(iter(self.secrets.values()))
        made = []
        for item in self.request.record.items:
            secnonce, pubnonce = rules.nonce_gen(secret, secret.pubkey, keyagg, item.msg)
            secnonce.wipe()
            made.append(pubnonce)
        return tuple(made)


class TwoNonces(Liar):
    """Different nonces to different peers."""

    proven = frozenset({"equivocation", "bad_partial"})
    second: Signed[Message] | None = None
    first: Signed[Message] | None = None

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        if not isinstance(body, NonceBody) or peer == self.victims()[0]:
            return [message]
        if self.first is not message:
            self.first, self.second = message, self.say(message, replace(body, pubnonces=self.fresh_nonces()))
        assert self.second is not None
        return [self.second]


class BadPartial(Liar):
    """A partial signature that is none, to everybody."""

    proven = frozenset({"bad_partial", "equivocation"})
    other = Liar.without_signature

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        if not isinstance(body, PartialBody):
            return [message]
        return [self.say(message, replace(body, psigs=tuple(bytes(31) + b"\x07" for _ in body.psigs)))]


class BadPartialForOne(BadPartial):
    """A partial signature that is none for one peer, the right one for the rest."""

    proven = frozenset({"bad_partial", "equivocation"})

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        return super().lie(message, peer) if peer == self.victims()[0] else [message]


class BrokenNonce(Liar):
    """A nonce that is no pair of points."""

    proven = frozenset({"invalid_contribution", "equivocation"})

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        if not isinstance(body, NonceBody):
            return [message]
        return [self.say(message, replace(body, pubnonces=tuple(b"\x02" + bytes(65) for _ in body.pubnonces)))]


class TooFewNonces(Liar):
    """Nonces for more items than there are."""

    proven = frozenset({"invalid_contribution", "equivocation"})

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        if not isinstance(body, NonceBody):
            return [message]
        return [self.say(message, replace(body, pubnonces=(*body.pubnonces, body.pubnonces[0])))]


class SilentInRound1(Liar):
    """Joins and says nothing more."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        return []

    def other(self, frame: Frame, peer: bytes) -> list[Frame]:
        return [frame] if isinstance(frame, Signed) and isinstance(frame.record, Join) else []


class SilentInRound2(SilentInRound1):
    """Sends its nonce and says nothing more."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        return [message] if isinstance(message.record.body, NonceBody) else []


class LateFinisher(SilentInRound2):
    """Withholds its partial signature, collects all others, and shows the signature long after the end."""

    def finish(self) -> None:
        for peer in self.victims():
            if self.machine.signatures:
                self.network.send(self.peer, peer, Complete(self.request.id, self.machine.signatures))


class WrongJoinSet(Liar):
    """A nonce for a join set that nobody else has."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        return [self.say(message, replace(body, joinset=bytes(32)))] if isinstance(body, NonceBody) else [message]


class WrongNonceSet(Liar):
    """A partial signature for a nonce set that nobody else has."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        body = message.record.body
        return [self.say(message, replace(body, nonceset=bytes(32)))] if isinstance(body, PartialBody) else [message]


class TwoJoins(Liar):
    """Joins one attempt with two peer identities, each shown to other signers."""

    named = frozenset({"join_conflict"})

    def other(self, frame: Frame, peer: bytes) -> list[Frame]:
        if not isinstance(frame, Signed) or not isinstance(frame.record, Join) or peer == self.victims()[0]:
            return [frame]
        if frame.record.pubkey not in self.own:
            return [frame]
        twin = PeerIdentity(bytes([7]) * 32)
        record = replace(frame.record, peer=twin.peer)
        sign = scheme(record.scheme).schnorr_sign
        return [seal(record, lambda digest: sign(self.secrets[record.pubkey], digest), twin.sign)]


class Climber(Liar):
    """Opens attempt after attempt."""

    def climb(self) -> None:
        record = self.request.record
        for key in self.own:
            attempt = min(self.machine.attempt + 1, record.max_attempts)
            join = Join(record.scheme, self.request.id, attempt, key, self.peer, (), self.clock.now().wall_ms)
            self.machine._attempts.want(key, attempt)
            self.feed(JoinReady(self.seal_join(join)))


class Accuser(Liar):
    """Aborts again and again, with honest messages as evidence, and claims that somebody is missing."""

    other = Liar.without_signature

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        if not isinstance(message.record.body, PartialBody):
            return [message]
        known = [save.message.envelope for save in self.store.messages.values() if not save.own][:4]
        others = tuple(key for key in self.request.record.keys if key not in self.own)
        frames: list[Frame] = []
        for number in range(3):
            reason = ("bad_partial", "equivocation", "timeout_round2")[number]
            frames.append(self.say(message, AbortBody(reason, "request", others, (*known, bytes(number + 1)))))
        return frames


class Babbler(Liar):
    """Honest in what it signs; sends senseless bitmaps and signatures beside it."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        attempt = self.machine.attempt
        nonsense = (
            Have(self.request.id, attempt, b"\xff" * 13, b"\xff" * 13, b"\xff" * 13),
            Have(self.request.id, self.request.record.max_attempts, b"\x01", b"", b""),
            Have(bytes(32), attempt, b"\x00", b"\x00", b"\x00"),
            Complete(self.request.id, tuple(bytes(64) for _ in self.request.record.items)),
            Complete(self.request.id, tuple(bytes(64) for _ in range(100))),
        )
        return [*nonsense, message]


class Impostor(Liar):
    """Signs messages for the joins of others."""

    def lie(self, message: Signed[Message], peer: bytes) -> list[Frame]:
        forged: list[Frame] = []
        for save in self.store.joins.values():
            if not save.own and isinstance(message.record.body, NonceBody):
                record = replace(message.record, join=save.join.id)
                forged.append(seal(record, self.identity.sign, peer=self.peer))
                abort = replace(record, body=AbortBody("nonce_lost", "request", (), ()))
                forged.append(seal(abort, self.identity.sign, peer=self.peer))
        return [*forged, message]


LIARS: tuple[type[Liar], ...] = (
    TwoNonces, BadPartial, BadPartialForOne, BrokenNonce, TooFewNonces, SilentInRound1, SilentInRound2, LateFinisher,
    WrongJoinSet, WrongNonceSet, TwoJoins, Climber, Accuser, Babbler, Impostor,
)  # fmt: skip  # a table
