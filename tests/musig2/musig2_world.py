"""Shared by the tests of musig2: signers in one line, vectors, and secrets where the product never puts them."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # without stubs

from musig2 import (
    InvalidArgumentError,
    KeyAggContext,
    MusigError,
    Scheme,
    SecNonce,
    SecretKey,
    SessionContext,
    Tweak,
    TweakKind,
)
from musig2.curve import secp
from musig2.curve.memory import take_slot

VECTORS = Path(__file__).parent.parent / "vectors"
SCHEMES = ("bip340", "lotus")


def assert_names(argument: str, action: Callable[[], object], words: str = "") -> None:
    """The action is refused with a ValueError that names this argument, exactly."""
    with pytest.raises(InvalidArgumentError, match=re.escape(words) or None) as refused:
        action()
    assert refused.value.argument == argument
    assert str(refused.value).startswith(f"{argument}: ")
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, MusigError)


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def unhex(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def seckey(hexadecimal: str) -> SecretKey:
    return SecretKey.from_buffer(bytearray.fromhex(hexadecimal))


def tweaks(pairs: list[tuple[int, str]]) -> tuple[Tweak, ...]:
    return tuple(Tweak(TweakKind(kind), bytes.fromhex(value)) for kind, value in pairs)


def secret(key: SecretKey) -> int:
    with key.reveal() as view:
        return int.from_bytes(view)


def nonce_scalars(secnonce: SecNonce) -> tuple[int, int]:
    """Look into an unused nonce. The musig module puts four bytes before k1 and k2, lotus none."""
    view = secnonce._cell[0].view
    start = 4 if secnonce.scheme == "bip340" else 0
    return int.from_bytes(view[start : start + 32]), int.from_bytes(view[start + 32 : start + 64])


def secnonce_of(scalars: bytes, key: SecretKey, keyagg: KeyAggContext, msg: bytes) -> SecNonce:
    """A secret nonce with chosen k1 and k2: possible only by forging the memory."""
    slot = take_slot()
    if keyagg.scheme == "lotus":
        slot.view[:64] = scalars
    else:
        slot.view[: secp.SECNONCE_SIZE] = _module_secnonce(scalars, key)
    return SecNonce(
        slot, scheme=keyagg.scheme, pubkey=key.pubkey, aggpubkey=keyagg.aggpubkey, msg=msg, pubnonce=_pubnonce(scalars)
    )


def _module_secnonce(scalars: bytes, key: SecretKey) -> bytes:
    magic = bytes.fromhex("220edcf1")
    return magic + scalars + bytes(ffi.buffer(key.point()))


def _pubnonce(scalars: bytes) -> bytes:
    halves = []
    for scalar in (scalars[:32], scalars[32:]):
        slot = take_slot()
        slot.view[:32] = scalar
        point = secp.seckey_pubkey(slot.view[:32]) if any(scalar) else None
        halves.append(secp.pubkey_serialize(point) if point else bytes(33))
    return b"".join(halves)


@dataclass
class World:
    """Signers of one session, ready to sign."""

    scheme: Scheme
    keys: list[SecretKey]
    keyagg: KeyAggContext
    msg: bytes
    secnonces: list[SecNonce]
    pubnonces: list[bytes]
    session: SessionContext

    def sign(self, index: int) -> bytes:
        return self.scheme.sign(self.secnonces[index], self.keys[index], self.session, index)

    def verify(self, psig: bytes, index: int) -> bool:
        pubkey = self.keys[index].pubkey
        verdict = self.scheme.partial_sig_verify(psig, self.pubnonces[index], pubkey, self.session, index)
        assert isinstance(verdict, bool)
        return verdict

    def psigs(self) -> list[bytes]:
        return [self.sign(index) for index in range(len(self.keys))]


def world(
    scheme: Scheme, n: int = 2, used_tweaks: tuple[Tweak, ...] = (), keys: list[SecretKey] | None = None
) -> World:
    keys = keys or [SecretKey.generate() for _ in range(n)]
    keyagg = scheme.key_agg([key.pubkey for key in keys], used_tweaks)
    msg = os.urandom(32)
    nonces = [scheme.nonce_gen(key, key.pubkey, keyagg, msg) for key in keys]
    pubnonces = [pubnonce for _, pubnonce in nonces]
    session = scheme.session(keyagg, scheme.nonce_agg(pubnonces), msg)
    return World(scheme, keys, keyagg, msg, [secnonce for secnonce, _ in nonces], pubnonces, session)


REAL = lib


class FailingLibrary:
    """The real library, but for one function: that one does nothing and returns 0, from its nth call on."""

    def __init__(self, function: str, nth: int = 1) -> None:
        self._function = f"secp256k1_{function}"
        self._left = nth
        self.reached = False

    def __getattr__(self, name: str) -> Any:
        if name != self._function:
            return getattr(REAL, name)
        self._left -= 1
        if self._left > 0:
            return getattr(REAL, name)
        self.reached = True
        return lambda *_: 0
