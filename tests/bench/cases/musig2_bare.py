"""What `musig2` costs over bare cffi calls into the same library, both on the same data.

The bare side does the same work, from bytes to bytes, as one would write it in a script: no checks of arguments or of
return codes, no locked memory, no contexts. Each figure is the best of a few alternating rounds.
"""

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

import gmpy2  # type: ignore[import-untyped]  # without stubs
from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # without stubs

from musig2 import Scheme, SecretKey
from musig2.curve import batch

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P = 2**256 - 2**32 - 977
CTX = lib.secp256k1_context_create(lib.SECP256K1_CONTEXT_NONE)
COMPRESSED = lib.SECP256K1_EC_COMPRESSED
MSG = os.urandom(32)
ROUNDS = 3


def midstate(tag: bytes) -> Any:
    return hashlib.sha256(hashlib.sha256(tag).digest() * 2)


LIST, COEFFICIENT, NONCECOEF = (midstate(tag) for tag in (b"KeyAgg list", b"KeyAgg coefficient", b"MuSig/noncecoef"))


def hashed(state: Any, data: bytes) -> bytes:
    state = state.copy()
    state.update(data)
    return state.digest()


def parse(data: bytes) -> Any:
    point = ffi.new("secp256k1_pubkey *")
    lib.secp256k1_ec_pubkey_parse(CTX, point, data, 33)
    return point


def serialize(point: Any) -> bytes:
    out, size = ffi.new("unsigned char[33]"), ffi.new("size_t *", 33)
    lib.secp256k1_ec_pubkey_serialize(CTX, out, size, point, COMPRESSED)
    return bytes(ffi.buffer(out))


def coordinates(point: Any) -> bytes:
    out, size = ffi.new("unsigned char[65]"), ffi.new("size_t *", 65)
    lib.secp256k1_ec_pubkey_serialize(CTX, out, size, point, lib.SECP256K1_EC_UNCOMPRESSED)
    return bytes(ffi.buffer(out))


def combine(points: list[Any]) -> Any:
    total = ffi.new("secp256k1_pubkey *")
    lib.secp256k1_ec_pubkey_combine(CTX, total, points, len(points))
    return total


def recover(pubkey: bytes, g: int, p: int) -> Any:
    """g*G + p*P by ECDSA's public key recovery."""
    r = int.from_bytes(pubkey[1:])
    signature, point = ffi.new("secp256k1_ecdsa_recoverable_signature *"), ffi.new("secp256k1_pubkey *")
    compact = pubkey[1:] + (p * r % N).to_bytes(32)
    lib.secp256k1_ecdsa_recoverable_signature_parse_compact(CTX, signature, compact, pubkey[0] & 1)
    lib.secp256k1_ecdsa_recover(CTX, point, signature, (-g * r % N).to_bytes(32))
    return point


class BareBip340:
    """libsecp256k1's musig and schnorrsig modules, called directly."""

    def key_agg(self, pubkeys: list[bytes]) -> Any:
        cache, point = ffi.new("secp256k1_musig_keyagg_cache *"), ffi.new("secp256k1_pubkey *")
        lib.secp256k1_musig_pubkey_agg(CTX, ffi.NULL, cache, [parse(pubkey) for pubkey in pubkeys], len(pubkeys))
        lib.secp256k1_musig_pubkey_get(CTX, point, cache)
        return cache, serialize(point)

    def nonce_gen(self, seckey: bytes, point: Any, keyagg: Any) -> bytes:
        secnonce, public = ffi.new("secp256k1_musig_secnonce *"), ffi.new("secp256k1_musig_pubnonce *")
        fresh = ffi.new("unsigned char[32]", os.urandom(32))
        lib.secp256k1_musig_nonce_gen(CTX, secnonce, public, fresh, seckey, point, MSG, keyagg[0], ffi.NULL)
        out = ffi.new("unsigned char[66]")
        lib.secp256k1_musig_pubnonce_serialize(CTX, out, public)
        return bytes(ffi.buffer(out))

    def session(self, keyagg: Any, aggnonce: bytes) -> Any:
        parsed, session = ffi.new("secp256k1_musig_aggnonce *"), ffi.new("secp256k1_musig_session *")
        lib.secp256k1_musig_aggnonce_parse(CTX, parsed, aggnonce)
        lib.secp256k1_musig_nonce_process(CTX, session, parsed, MSG, keyagg[0])
        return session

    def partial_verify(self, psig: bytes, pubnonce: bytes, signer: tuple[bytes, Any, int], context: Any) -> bool:
        keyagg, session = context
        nonce, parsed = ffi.new("secp256k1_musig_pubnonce *"), ffi.new("secp256k1_musig_partial_sig *")
        lib.secp256k1_musig_pubnonce_parse(CTX, nonce, pubnonce)
        lib.secp256k1_musig_partial_sig_parse(CTX, parsed, psig)
        return lib.secp256k1_musig_partial_sig_verify(CTX, parsed, nonce, signer[1], keyagg[0], session) == 1

    def verify(self, pubkey: bytes, signature: bytes) -> bool:
        point = ffi.new("secp256k1_xonly_pubkey *")
        lib.secp256k1_xonly_pubkey_parse(CTX, point, pubkey[1:])
        return lib.secp256k1_schnorrsig_verify(CTX, signature, MSG, 32, point) == 1


class BareLotus:
    """The generic functions, called directly, in the order of the formulas."""

    def key_agg(self, pubkeys: list[bytes]) -> Any:
        head = hashed(LIST, b"".join(pubkeys))
        factors, terms = [], []
        for pubkey in pubkeys:
            factor = hashed(COEFFICIENT, head + pubkey)
            point = parse(pubkey)
            lib.secp256k1_ec_pubkey_tweak_mul(CTX, point, factor)
            factors.append(int.from_bytes(factor))
            terms.append(point)
        return factors, serialize(combine(terms))

    def nonce_gen(self, seckey: bytes, point: Any, keyagg: Any) -> bytes:
        preimage = os.urandom(32) + seckey + serialize(point) + keyagg[1] + MSG + bytes(32)
        aux, public = ffi.new("unsigned char[32]"), b""
        lib.secp256k1_tagged_sha256(CTX, aux, b"aux", 3, preimage, len(preimage))
        for j in (b"\x01", b"\x02"):
            k, point = ffi.new("unsigned char[32]"), ffi.new("secp256k1_pubkey *")
            lib.secp256k1_tagged_sha256(CTX, k, b"nonce", 5, bytes(ffi.buffer(aux)) + j, 33)
            lib.secp256k1_ec_pubkey_create(CTX, point, k)
            public += serialize(point)
        return public

    def session(self, keyagg: Any, aggnonce: bytes) -> Any:
        b = hashed(NONCECOEF, keyagg[1] + aggnonce + MSG)
        first, second = parse(aggnonce[:33]), parse(aggnonce[33:])
        lib.secp256k1_ec_pubkey_tweak_mul(CTX, second, b)
        r = coordinates(combine([first, second]))
        e = int.from_bytes(hashlib.sha256(r[1:33] + keyagg[1] + MSG).digest()) % N
        return b, e, gmpy2.jacobi(int.from_bytes(r[33:]), P) != 1

    def partial_verify(self, psig: bytes, pubnonce: bytes, signer: tuple[bytes, Any, int], context: Any) -> bool:
        keyagg, (b, e, negate) = context
        first, second = parse(pubnonce[:33]), parse(pubnonce[33:])
        lib.secp256k1_ec_pubkey_tweak_mul(CTX, second, b)
        own = combine([first, second])
        if negate:
            lib.secp256k1_ec_pubkey_negate(CTX, own)
        claimed = recover(signer[0], int.from_bytes(psig), -e * keyagg[0][signer[2]])
        return lib.secp256k1_ec_pubkey_cmp(CTX, own, claimed) == 0

    def verify(self, pubkey: bytes, signature: bytes) -> bool:
        e = int.from_bytes(hashlib.sha256(signature[:32] + pubkey + MSG).digest()) % N
        r = coordinates(recover(pubkey, int.from_bytes(signature[32:]), -e))
        return r[1:33] == signature[:32] and gmpy2.jacobi(int.from_bytes(r[33:]), P) == 1


def microseconds(call: Callable[[], object], seconds: float = 0.02) -> float:
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds or count < 3:
        call()
        count += 1
    return spent / count * 1e6


def compare(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
    """Alternating, so that a busy moment of the machine hits both."""
    pairs = [(microseconds(ours), microseconds(bare)) for _ in range(ROUNDS)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def operations(used: Scheme, bare: Any) -> dict[str, tuple[float, float]]:
    keys = [SecretKey.generate() for _ in range(100)]
    pubkeys = [key.pubkey for key in keys]
    results = {}
    for n in (2, 10, 100):
        results[f"key aggregation, n = {n}"] = compare(
            lambda n=n: used._aggregate(tuple(pubkeys[:n]), ()), lambda n=n: bare.key_agg(pubkeys[:n])
        )
    keyagg, bare_keyagg = used.key_agg(pubkeys[:2]), bare.key_agg(pubkeys[:2])
    assert keyagg.aggpubkey == bare_keyagg[1]
    with keys[0].reveal() as view:
        secret = bytes(view)
    point = parse(pubkeys[0])
    results["nonce generation"] = compare(
        lambda: used.nonce_gen(keys[0], pubkeys[0], keyagg, MSG), lambda: bare.nonce_gen(secret, point, bare_keyagg)
    )
    nonces = [used.nonce_gen(key, key.pubkey, keyagg, MSG) for key in keys[:2]]
    aggnonce = used.nonce_agg([public for _, public in nonces])
    results["nonce processing"] = compare(
        lambda: used.session(keyagg, aggnonce, MSG), lambda: bare.session(bare_keyagg, aggnonce)
    )
    session, bare_session = used.session(keyagg, aggnonce, MSG), bare.session(bare_keyagg, aggnonce)
    psigs = [used.sign(nonce, key, session) for (nonce, _), key in zip(nonces, keys, strict=False)]
    signer, context, public = (pubkeys[1], parse(pubkeys[1]), 1), (bare_keyagg, bare_session), nonces[1][1]
    assert bare.partial_verify(psigs[1], public, signer, context)
    results["partial verification"] = compare(
        lambda: used.partial_sig_verify(psigs[1], public, pubkeys[1], session),
        lambda: bare.partial_verify(psigs[1], public, signer, context),
    )
    signature = used.partial_sig_agg(psigs, session)
    assert bare.verify(keyagg.aggpubkey, signature)
    results["signature verification"] = compare(
        lambda: used.schnorr_verify(keyagg.aggpubkey, MSG, signature), lambda: bare.verify(keyagg.aggpubkey, signature)
    )
    return results


def threads(used: Scheme, count: int) -> tuple[float, float]:
    """Signatures per second on one thread, and through `verify_many` on all cores."""
    keys = [SecretKey.generate() for _ in range(50)]
    some = [(key.pubkey, MSG, used.schnorr_sign(key, MSG)) for key in keys]
    triples = (some * (count // len(some) + 1))[:count]
    calls = (lambda: batch.verify_all(used._verify_quietly, triples, workers=1), lambda: used.verify_many(triples))
    rates = []
    for call in calls:
        started = time.perf_counter()
        assert all(call())
        rates.append(count / (time.perf_counter() - started))
    return rates[0], rates[1]
