"""The local signer: a secret nonce is used once or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from daemon.keys.errors import KeysLocked
from daemon.signing.engine.signer import LocalSigner
from musig2 import SecretKey, scheme
from musig2.protocol.interface.effects import NeedJoin, NeedNonces, NeedPartials
from musig2.protocol.interface.inputs import JoinReady, NoncesReady, PartialsReady, SignerRefused
from musig2.protocol.records.envelope import check_signatures, seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import ToSign, build_request, key_agg_of
from musig2.protocol.wire.frames import Signed

MSG = bytes(range(32))
SESSION = b"s" * 32


@dataclass
class Keys:
    """Keys in memory with the face of the keystore."""

    name: str
    secrets: dict[bytes, SecretKey] = field(default_factory=dict)
    locked: bool = False

    def make(self) -> bytes:
        secret = SecretKey.generate()
        self.secrets[secret.pubkey] = secret
        return secret.pubkey

    def get(self, pubkey: bytes) -> SecretKey:
        if self.locked:
            raise KeysLocked
        return self.secrets[pubkey]

    def scheme_of(self, pubkey: bytes) -> str:
        return self.name

    def keys(self) -> tuple[bytes, ...]:
        return tuple(self.secrets)

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes:
        return scheme(self.name).schnorr_sign(self.get(pubkey), digest)

    async def pause(self, pubkey: bytes, reason: str | None = None) -> None:
        raise AssertionError("nobody pauses here")


@dataclass
class Time:
    now_ms: int = 1_000_000

    def wall_ms(self) -> int:
        return self.now_ms

    def mono_ms(self) -> int:
        return self.now_ms


@dataclass
class Setting:
    keys: Keys
    clock: Time
    signer: LocalSigner
    request: Signed[Request]
    key: bytes

    def nonces(self) -> NoncesReady:
        record = self.request.record
        items = tuple((key_agg_of(record, item), item.msg) for item in record.items)
        answer = self.signer.answer(NeedNonces(SESSION, self.key, items), self.request, 1)
        assert isinstance(answer, NoncesReady)
        return answer

    def need_partials(self, own: NoncesReady) -> NeedPartials:
        record, rules = self.request.record, scheme(self.keys.name)
        other = next(key for key in record.keys if key != self.key)
        contexts = []
        for item, pubnonce in zip(record.items, own.pubnonces, strict=True):
            keyagg = key_agg_of(record, item)
            _, foreign = rules.nonce_gen(self.keys.secrets[other], other, keyagg, item.msg)
            contexts.append(rules.session(keyagg, rules.nonce_agg([pubnonce, foreign]), item.msg))
        return NeedPartials(SESSION, self.key, record.keys.index(self.key), tuple(contexts))


@pytest.fixture(params=["lotus", "bip340"])
def setting(request: pytest.FixtureRequest) -> Setting:
    keys, clock = Keys(request.param), Time()
    key, other = keys.make(), keys.make()
    record = build_request(
        scheme_name=request.param,
        pubkeys=[key, other],
        to_sign=[ToSign(MSG), ToSign(bytes(32))],
        creator=key,
        created=0,
        expires=10_000_000,
        round_ms=1_000,
        max_attempts=5,
        salt=bytes(16),
        election=None,
        metadata={},
    )
    signed = seal(record, lambda digest: keys.sign(key, digest))
    signer = LocalSigner(keystore=keys, identity=PeerIdentity(bytes(32)), clock=clock, addrs=lambda: (b"a",) * 20)
    return Setting(keys, clock, signer, signed, key)


def test_a_join_is_signed_by_key_and_peer(setting: Setting) -> None:
    answer = setting.signer.answer(NeedJoin(setting.request.id, setting.key, 3), setting.request, 3)
    assert isinstance(answer, JoinReady)
    assert check_signatures(answer.join)
    assert answer.join.record.attempt == 3
    assert len(answer.join.record.addrs) == 16


def test_partials_consume_the_nonces(setting: Setting) -> None:
    need = setting.need_partials(setting.nonces())
    first = setting.signer.answer(need, setting.request, 1)
    assert isinstance(first, PartialsReady)
    assert len(first.psigs) == 2
    assert setting.signer.held == 0
    assert setting.signer.answer(need, setting.request, 1) == SignerRefused(setting.key, 1, "nonce_lost")


def test_wiped_nonces_cannot_sign(setting: Setting) -> None:
    need = setting.need_partials(setting.nonces())
    setting.signer.wipe(SESSION, setting.key)
    assert setting.signer.answer(need, setting.request, 1) == SignerRefused(setting.key, 1, "nonce_lost")


def test_nonces_older_than_the_round_cannot_sign(setting: Setting) -> None:
    need = setting.need_partials(setting.nonces())
    setting.clock.now_ms += 1_000
    assert setting.signer.answer(need, setting.request, 1) == SignerRefused(setting.key, 1, "nonce_lost")


def test_old_nonces_are_wiped_without_being_asked(setting: Setting) -> None:
    setting.nonces()
    setting.clock.now_ms += 999
    assert setting.signer.wipe_old() == 0
    setting.clock.now_ms += 1
    assert setting.signer.wipe_old() == 1
    assert setting.signer.held == 0


def test_asking_for_nonces_twice_burns_both(setting: Setting) -> None:
    need = setting.need_partials(setting.nonces())
    items = tuple((context.keyagg, context.msg) for context in need.contexts)
    again = setting.signer.answer(NeedNonces(SESSION, setting.key, items), setting.request, 1)
    assert again == SignerRefused(setting.key, 1, "nonce_lost")
    assert setting.signer.held == 0


def test_a_locked_key_refuses_and_loses_its_nonces(setting: Setting) -> None:
    need = setting.need_partials(setting.nonces())
    setting.keys.locked = True
    assert setting.signer.answer(need, setting.request, 1) == SignerRefused(setting.key, 1, "locked")
    setting.keys.locked = False
    assert setting.signer.answer(need, setting.request, 1) == SignerRefused(setting.key, 1, "nonce_lost")


def test_nothing_secret_is_shown(setting: Setting) -> None:
    setting.nonces()
    shown = repr(vars(setting.signer)["_held"])
    assert "SecNonce of" in shown
    assert "unused" in shown
