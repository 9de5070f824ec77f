"""A participant that breaks rules: it has a peer identity, perhaps a required key, and says whatever a test wants."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from musig2 import SecNonce, SecretKey, SessionContext, scheme
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import joinset, nonceset, session_id
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import (
    AbortBody,
    Advertisement,
    Body,
    Decline,
    Join,
    Message,
    NonceBody,
    PartialBody,
    Record,
    Request,
)
from musig2.protocol.records.requests import ToSign, build_request, key_agg_of
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Complete, Frame, Signed
from tests.signing.memory_net import LONGEST_S
from tests.signing.signing_world import World

R = TypeVar("R", bound=Record)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Mallory:
    """A node of the hub without a daemon."""

    def __init__(self, world: World, name: str = "lotus") -> None:
        self.world = world
        self.rules = scheme(name)
        self.identity = PeerIdentity(os.urandom(32))
        self.secret = SecretKey.generate()
        self.net = world.hub.join(self.peer, self)
        self.heard: list[Frame] = []
        self._news = asyncio.Event()
        self.secnonces: list[SecNonce] = []

    @property
    def peer(self) -> bytes:
        return self.identity.peer

    @property
    def key(self) -> bytes:
        return self.secret.pubkey

    def advertise(self) -> None:
        """Enter the book of the world, so that creators push their requests here."""
        self.world.book.peers[self.key] = self.peer

    def sign(self, digest: bytes) -> bytes:
        return self.rules.schnorr_sign(self.secret, digest)

    def on_frames(self, batch: Sequence[tuple[bytes, Frame]]) -> None:
        self.heard += [frame for _, frame in batch]
        self._news.set()

    def on_connected(self, peer: bytes) -> None:
        pass

    def on_disconnected(self, peer: bytes) -> None:
        pass

    async def hears(self, kind: type[R], wanted: Callable[[R], bool] = lambda record: True) -> Signed[R]:
        """The first record of that kind that has arrived here, or the next that arrives."""
        async with asyncio.timeout(LONGEST_S):
            while True:
                for frame in self.heard:
                    if isinstance(frame, Signed) and isinstance(frame.record, kind) and wanted(frame.record):
                        return Signed(frame.record, frame.id, frame.envelope)
                self._news.clear()
                await self._news.wait()

    async def hears_frame(self, kind: type[Any]) -> Any:
        """The same for frames that are not records."""
        async with asyncio.timeout(LONGEST_S):
            while not (found := [frame for frame in self.heard if isinstance(frame, kind)]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    def say(self, peer: bytes, *frames: Frame) -> None:
        """Send these frames, dialling first."""
        self.world.hub.connect(self.peer, peer)
        assert self.net.send(peer, [encode_frame(frame) for frame in frames])

    def join(
        self, request: Signed[Request], attempt: int = 1, *, key: bytes | None = None, **other: Any
    ) -> Signed[Join]:
        record = Join(request.record.scheme, request.id, attempt, key or self.key, self.peer, (), now_ms())
        return self._cosigned(Join(**{**{f: getattr(record, f) for f in record.__slots__}, **other}))

    def _cosigned(self, record: Join) -> Signed[Join]:
        return seal(record, self.sign, self.identity.sign)

    def decline(self, request: Signed[Request]) -> Signed[Decline]:
        return seal(Decline(request.record.scheme, request.id, self.key, "mine", now_ms()), self.sign)

    def delegation(self) -> Signed[Advertisement]:
        ad = Advertisement(self.rules.name, self.key, self.peer, (), ("spend",), now_ms(), now_ms() + 3_600_000)
        return seal(ad, self.sign, self.identity.sign)

    def message(self, session: bytes, join: bytes, body: Body) -> Signed[Message]:
        return seal(Message(session, join, body), self.identity.sign, peer=self.peer)

    def nonce(self, request: Signed[Request], joins: Sequence[Signed[Join]], attempt: int = 1) -> Signed[Message]:
        """A fresh, valid nonce message under these joins (in the order of the keys)."""
        mine = next(join for join in joins if join.record.pubkey == self.key)
        session = session_id(request.id, attempt)
        made = [self._nonce(request.record, index) for index in range(len(request.record.items))]
        self.secnonces = [secnonce for secnonce, _ in made]
        body = NonceBody(joinset(session, [join.id for join in joins]), tuple(pubnonce for _, pubnonce in made))
        return self.message(session, mine.id, body)

    def _nonce(self, request: Request, index: int) -> tuple[SecNonce, bytes]:
        item = request.items[index]
        return self.rules.nonce_gen(self.secret, self.key, key_agg_of(request, item), item.msg)

    def partial(
        self,
        request: Signed[Request],
        joins: Sequence[Signed[Join]],
        nonces: Sequence[Signed[Message]],
        *,
        bad: bool = False,
    ) -> Signed[Message]:
        """The partial signatures that answer these nonce messages (in the order of the keys)."""
        mine = next(join for join in joins if join.record.pubkey == self.key)
        session, pubnonces = nonces[0].record.session, _pubnonces(nonces)
        contexts = self._contexts(request.record, pubnonces)
        psigs = [
            self.rules.sign(secnonce, self.secret, context)
            for secnonce, context in zip(self.secnonces, contexts, strict=True)
        ]
        if bad:
            psigs[0] = (int.from_bytes(psigs[0], "big") ^ 1).to_bytes(32, "big")
        names = nonceset(joinset(session, [join.id for join in joins]), pubnonces)
        return self.message(session, mine.id, PartialBody(names, tuple(psigs)))

    def finish(
        self,
        request: Signed[Request],
        joins: Sequence[Signed[Join]],
        nonces: Sequence[Signed[Message]],
        theirs: Signed[Message],
    ) -> Complete:
        """The signatures of a request of two, made of the other's partial signatures and own ones."""
        bodies = (theirs.record.body, self.partial(request, joins, nonces).record.body)
        psigs = [body.psigs for body in bodies if isinstance(body, PartialBody)]
        contexts = self._contexts(request.record, _pubnonces(nonces))
        if joins[0].record.pubkey == self.key:
            psigs.reverse()
        made = (self.rules.partial_sig_agg(parts, context) for *parts, context in zip(*psigs, contexts, strict=True))
        return Complete(request.id, tuple(made))

    def _contexts(self, request: Request, pubnonces: Sequence[Sequence[bytes]]) -> list[SessionContext]:
        return [
            self.rules.session(
                key_agg_of(request, item), self.rules.nonce_agg([made[index] for made in pubnonces]), item.msg
            )
            for index, item in enumerate(request.items)
        ]

    def abort(self, session: bytes, join: bytes, scope: str = "request") -> Signed[Message]:
        return self.message(session, join, AbortBody("aborted_by_signer", scope, (), ()))


def _pubnonces(nonces: Sequence[Signed[Message]]) -> list[Sequence[bytes]]:
    return [nonce.record.body.pubnonces for nonce in nonces if isinstance(nonce.record.body, NonceBody)]


def unsolicited(mallory: Mallory, victim: bytes, **changes: object) -> Signed[Request]:
    """A request of Mallory and a victim that nobody asked for."""
    values = {
        "scheme_name": "lotus",
        "pubkeys": [mallory.key, victim],
        "to_sign": [ToSign(os.urandom(32))],
        "creator": mallory.key,
        "created": now_ms(),
        "expires": now_ms() + 60_000,
        "round_ms": 60_000,
        "max_attempts": 5,
        "salt": os.urandom(16),
        "election": None,
        "metadata": {},
    }
    return seal(build_request(**{**values, **changes}), mallory.sign)  # type: ignore[arg-type]  # as a test wants them
