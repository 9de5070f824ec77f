"""What a nonce is made of, with the system's randomness replaced by known bytes."""

import os
from typing import Any

import pytest

from musig2 import KeyAggContext, SecretKey, scheme
from musig2.curve import secp
from tests.musig2.musig2_world import SCHEMES, nonce_scalars, secret
from tests.musig2.slow_musig2 import N, base_mul, encode, integer, tagged

KNOWN = bytes(range(100, 132))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what was asked of the system."""
    sizes: list[int] = []

    def fill(view: memoryview) -> None:
        sizes.append(len(view))
        view[:] = KNOWN[: len(view)]

    monkeypatch.setattr(secp, "fill_random", fill)
    return sizes


def slow_lotus(key: SecretKey, keyagg: KeyAggContext, msg: bytes, extra: bytes) -> tuple[int, ...]:
    preimage = KNOWN + secret(key).to_bytes(32) + key.pubkey + keyagg.aggpubkey + msg + (extra or bytes(32))
    aux = tagged("musigd/lotus/aux", preimage)
    return tuple(integer(tagged("musigd/lotus/nonce", aux + bytes((j,)))) % N for j in (1, 2))


def slow_bip340(key: SecretKey, keyagg: KeyAggContext, msg: bytes, extra: bytes) -> tuple[int, ...]:
    mask = tagged("MuSig/aux", KNOWN)
    rand = (secret(key) ^ integer(mask)).to_bytes(32)
    preimage = rand + b"\x21" + key.pubkey + b"\x20" + keyagg.xonly
    preimage += b"\x01" + (32).to_bytes(8) + msg + len(extra).to_bytes(4) + extra
    return tuple(integer(tagged("MuSig/nonce", preimage + bytes((j,)))) % N for j in (0, 1))


@pytest.mark.parametrize(("name", "slow"), [("lotus", slow_lotus), ("bip340", slow_bip340)])
@pytest.mark.parametrize("extra", [b"", os.urandom(32)], ids=["no extra", "extra"])
def test_a_nonce_is_hashed_from_all_its_ingredients(name: str, slow: Any, extra: bytes, drawn: list[int]) -> None:
    key, other = (SecretKey.from_buffer(bytearray(os.urandom(32))) for _ in range(2))
    keyagg, msg = scheme(name).key_agg([other.pubkey, key.pubkey]), os.urandom(32)
    secnonce, pubnonce = scheme(name).nonce_gen(key, key.pubkey, keyagg, msg, extra)
    assert drawn == [32]
    scalars = slow(key, keyagg, msg, extra)
    assert nonce_scalars(secnonce) == scalars
    assert pubnonce == secnonce.pubnonce == b"".join(encode(base_mul(k)) for k in scalars)
    assert (secnonce.scheme, secnonce.pubkey, secnonce.msg) == (name, key.pubkey, msg)
    assert secnonce.aggpubkey == keyagg.aggpubkey


@pytest.mark.parametrize("name", SCHEMES)
def test_the_slot_of_a_nonce_holds_the_nonce_and_nothing_else(name: str) -> None:
    """Neither the key, nor the randomness, nor what they were hashed to on the way; and a digest of public values."""
    key = SecretKey.generate()
    keyagg = scheme(name).key_agg([key.pubkey])
    secnonce, _ = scheme(name).nonce_gen(key, key.pubkey, keyagg, bytes(32))
    slot = secnonce._cell[0]
    assert not any(slot.view[132 if name == "bip340" else 64 : 192])
    assert any(slot.view[192:224])
    assert not any(slot.view[224:])


@pytest.mark.parametrize("name", SCHEMES)
def test_a_key_is_32_bytes_of_the_system(name: str, drawn: list[int]) -> None:
    assert secret(SecretKey.generate()) == integer(KNOWN)
    assert drawn == [32]


def test_auxiliary_bytes_of_bip340_are_fresh(drawn: list[int]) -> None:
    key, msg = SecretKey.generate(), bytes(32)
    first = scheme("bip340").schnorr_sign(key, msg)
    assert drawn == [32, 32]
    assert scheme("bip340").schnorr_sign(key, msg) == first, "the same auxiliary bytes, the same signature"


@pytest.mark.parametrize(("name", "repeats"), [("bip340", False), ("lotus", True)])
def test_only_lotus_signatures_of_one_key_repeat(name: str, repeats: bool) -> None:
    """RFC 6979 against fresh auxiliary bytes."""
    key, msg = SecretKey.generate(), os.urandom(32)
    first, second = (scheme(name).schnorr_sign(key, msg) for _ in range(2))
    assert (first == second) is repeats
