"""The signer port: what makes own joins, nonces and partial signatures; and its first implementation, on the keystore.

A secret nonce lives in this file and nowhere else: in memory, under (session, key), from `NeedNonces` until it is
consumed by `NeedPartials`, wiped on request, or older than the request's `round_ms`. A second use is not possible:
the call that signs takes it out of the table first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, assert_never

import structlog

from daemon.clock import Clock
from daemon.keys.errors import KeyRefused
from daemon.signing.ports import Identity, SigningKeystore
from musig2 import MusigError, NonceConsumed, SecNonce, scheme
from musig2.protocol.interface.effects import Need, NeedJoin, NeedNonces, NeedPartials
from musig2.protocol.interface.inputs import JoinReady, NoncesReady, PartialsReady, SignerRefused
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Join, Request
from musig2.protocol.wire.frames import Signed

log = structlog.get_logger("musigd.signing")
Answer: TypeAlias = JoinReady | NoncesReady | PartialsReady | SignerRefused


class Signer(Protocol):
    """Provides what the machine needs of an own key: at once, or later through the engine's `feed`."""

    def answer(self, need: Need, request: Signed[Request], attempt: int) -> Answer | None:
        """The answer; None when it will come later, as an input fed to the engine."""

    def wipe(self, session: bytes, key: bytes) -> None:
        """Forget the secret nonces of that session and key, if there are any."""

    def wipe_old(self) -> int:
        """Forget secret nonces past their time; returns how many sessions that concerned."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The secret nonces of one session and key, one per item. No `repr` of them: SecNonce shows none."""

    secnonces: tuple[SecNonce, ...]
    until_mono_ms: int

    def wipe(self) -> None:
        for secnonce in self.secnonces:
            secnonce.wipe()


class LocalSigner:
    """Signs with the keys of this daemon's keystore, always at once."""

    def __init__(
        self, *, keystore: SigningKeystore, identity: Identity, clock: Clock, addrs: Callable[[], tuple[bytes, ...]]
    ) -> None:
        """`addrs`: the binary multiaddrs under which this daemon can be dialled right now."""
        self._keystore = keystore
        self._identity = identity
        self._clock = clock
        self._addrs = addrs
        self._known_addrs: tuple[int, tuple[bytes, ...]] | None = None  # when they were looked up, and which
        self._held: dict[tuple[bytes, bytes], _Held] = {}

    @property
    def held(self) -> int:
        """How many sessions have secret nonces in memory."""
        return len(self._held)

    def answer(self, need: Need, request: Signed[Request], attempt: int) -> Answer:
        """A refusal is `locked` when the keystore does not give the key, `nonce_lost` when the attempt is burned."""
        try:
            match need:
                case NeedJoin():
                    return JoinReady(self._join(need, request.record))
                case NeedNonces():
                    return self._nonces(need, request.record)
                case NeedPartials():
                    return self._partials(need, request.record)
                case _:
                    assert_never(need)
        except KeyRefused as error:
            log.warning("a key cannot sign now", key=need.key.hex(), reason=error.reason)
            return SignerRefused(need.key, attempt, "locked")
        except MusigError as error:
            log.error("an attempt is burned", attempt=attempt, key=need.key.hex(), detail=str(error))
            return SignerRefused(need.key, attempt, "nonce_lost")

    def wipe(self, session: bytes, key: bytes) -> None:
        """Forget the secret nonces of that session and key, if there are any."""
        held = self._held.pop((session, key), None)
        if held is not None:
            held.wipe()

    def wipe_old(self) -> int:
        """Forget secret nonces past their time; returns how many sessions that concerned."""
        now = self._clock.mono_ms()
        old = [slot for slot, held in self._held.items() if held.until_mono_ms <= now]
        for slot in old:
            self.wipe(*slot)
        return len(old)

    def _join(self, need: NeedJoin, request: Request) -> Signed[Join]:
        record = Join(
            scheme=request.scheme,
            request=need.request,
            attempt=need.attempt,
            pubkey=need.key,
            peer=self._identity.peer,
            addrs=self._current_addrs(),
            ts=self._clock.wall_ms(),
        )
        return seal(record, lambda digest: self._keystore.sign(need.key, digest), self._identity.sign)

    def _current_addrs(self) -> tuple[bytes, ...]:
        """At most 16 addresses, at most a second old: looking them up for every join costs as much as a signature."""
        now = self._clock.mono_ms()
        if self._known_addrs is None or self._known_addrs[0] + 1_000 <= now:
            self._known_addrs = (now, self._addrs()[:16])
        return self._known_addrs[1]

    def _nonces(self, need: NeedNonces, request: Request) -> NoncesReady:
        slot = (need.session, need.key)
        if slot in self._held:
            self.wipe(*slot)
            raise NonceConsumed
        seckey, rules = self._keystore.get(need.key), scheme(request.scheme)
        made = [rules.nonce_gen(seckey, need.key, keyagg, msg) for keyagg, msg in need.items]
        until = self._clock.mono_ms() + request.round_ms
        self._held[slot] = _Held(tuple(secnonce for secnonce, _ in made), until)
        return NoncesReady(need.session, need.key, tuple(pubnonce for _, pubnonce in made))

    def _partials(self, need: NeedPartials, request: Request) -> PartialsReady:
        held = self._held.pop((need.session, need.key), None)
        if held is None or len(held.secnonces) != len(need.contexts):
            raise NonceConsumed
        try:
            if held.until_mono_ms <= self._clock.mono_ms():
                raise NonceConsumed
            seckey, rules = self._keystore.get(need.key), scheme(request.scheme)
            psigs = tuple(
                rules.sign(secnonce, seckey, context, need.index)
                for secnonce, context in zip(held.secnonces, need.contexts, strict=True)
            )
        finally:
            held.wipe()
        return PartialsReady(need.session, need.key, psigs, verified=True)
