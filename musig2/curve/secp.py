"""The one file that touches libsecp256k1 (through coincurve's private module) and the one source of randomness.

Thin, typed functions: `bytes` for public data, `memoryview` of wiped memory for secrets, opaque handles for parsed
objects. Every return code is checked. An input that may legitimately be bad (an unknown encoding, a sum at infinity)
gives None or False; every other refusal is a `LibraryError`. libsecp256k1 would abort the process on a misuse: our own
context has a callback that records the text instead, and the call then returns 0 like any other failure.

Functions that end in `_mul`, `_add` or `combine` on points and everything about `recover` take variable time: public
data only. What touches a `memoryview` is constant-time in the library.
"""

import ctypes
import os
from collections.abc import Sequence
from typing import Any, Final, NewType

from musig2.errors import ForkDetected, LibraryError, LibraryMismatch

try:
    from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # compiled module without stubs
except ImportError as error:
    raise LibraryMismatch("coincurve._libsecp256k1 cannot be imported") from error

ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

Point = NewType("Point", object)
XonlyPoint = NewType("XonlyPoint", object)
KeyAggCache = NewType("KeyAggCache", object)
PubNonce = NewType("PubNonce", object)
AggNonce = NewType("AggNonce", object)
Session = NewType("Session", object)
PartialSig = NewType("PartialSig", object)

KEYPAIR_SIZE: Final = 96
SECNONCE_SIZE: Final = 132
_SIZES: Final = {
    "secp256k1_pubkey": 64,
    "secp256k1_keypair": KEYPAIR_SIZE,
    "secp256k1_musig_secnonce": SECNONCE_SIZE,
}
_SYMBOLS: Final = (
    "context_create context_randomize context_set_illegal_callback ec_pubkey_parse ec_pubkey_serialize "
    "ec_pubkey_combine ec_pubkey_create ec_pubkey_tweak_add ec_pubkey_tweak_mul ec_seckey_verify ec_seckey_negate "
    "ec_seckey_tweak_add ec_seckey_tweak_mul ecdsa_recover ecdsa_recoverable_signature_parse_compact keypair_create "
    "keypair_pub nonce_function_rfc6979 schnorrsig_sign32 schnorrsig_verify tagged_sha256 xonly_pubkey_parse "
    "musig_aggnonce_parse musig_aggnonce_serialize musig_nonce_agg musig_nonce_gen musig_nonce_process "
    "musig_partial_sig_agg musig_partial_sig_parse musig_partial_sig_serialize musig_partial_sig_verify "
    "musig_partial_sign musig_pubkey_agg musig_pubkey_ec_tweak_add musig_pubkey_get musig_pubkey_xonly_tweak_add "
    "musig_pubnonce_parse musig_pubnonce_serialize"
)


def _probe() -> None:
    """Refuse a library that lacks a function or lays out an object of ours differently."""
    for name in _SYMBOLS.split():
        if not hasattr(lib, f"secp256k1_{name}"):
            raise LibraryMismatch(f"no secp256k1_{name}")
    for struct, size in _SIZES.items():
        if ffi.sizeof(struct) != size:
            raise LibraryMismatch(f"{struct} is not {size} bytes")


_probe()

_NULL: Final = ffi.NULL
_new: Final = ffi.new
_buffer: Final = ffi.buffer
_COMPRESSED: Final = lib.SECP256K1_EC_COMPRESSED
_UNCOMPRESSED: Final = lib.SECP256K1_EC_UNCOMPRESSED
_PUBKEY: Final = ffi.typeof("secp256k1_pubkey *")
_XONLY: Final = ffi.typeof("secp256k1_xonly_pubkey *")
_RECOVERABLE: Final = ffi.typeof("secp256k1_ecdsa_recoverable_signature *")
_CACHE: Final = ffi.typeof("secp256k1_musig_keyagg_cache *")
_PUBNONCE: Final = ffi.typeof("secp256k1_musig_pubnonce *")
_AGGNONCE: Final = ffi.typeof("secp256k1_musig_aggnonce *")
_SESSION: Final = ffi.typeof("secp256k1_musig_session *")
_PSIG: Final = ffi.typeof("secp256k1_musig_partial_sig *")
_BYTES: Final = ffi.typeof("unsigned char[]")
_KEYPAIR: Final = ffi.typeof("secp256k1_keypair *")
_SECNONCE: Final = ffi.typeof("secp256k1_musig_secnonce *")
_LENGTH: Final = ffi.typeof("size_t *")

_pid: Final = os.getpid()
_libc: Final = ctypes.PyDLL(None)  # keeps the interpreter's lock: these take less time than to get it back
_libc.getentropy.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.fmemopen.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
_libc.fmemopen.restype = ctypes.c_void_p
_libc.setvbuf.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t)
_libc.rewind.argtypes = (ctypes.c_void_p,)
_UNBUFFERED: Final = 2

_complaint: Final = ctypes.create_string_buffer(512)
_stream: Final = _libc.fmemopen(_complaint, len(_complaint), b"w")
_libc.setvbuf(_stream, None, _UNBUFFERED, 0)


def refuse_fork() -> None:
    """Raise `ForkDetected` in a child process: parent and child would otherwise hold the same secret nonces."""
    if os.getpid() != _pid:
        raise ForkDetected


def _ok(code: int) -> None:
    """For calls that cannot fail on what we pass."""
    if code != 1:
        text = _complaint.value.decode(errors="replace") or "it returned 0"
        _libc.rewind(_stream)
        ctypes.memset(_complaint, 0, len(_complaint))
        raise LibraryError(f"libsecp256k1 refused a call ({text}): the operation was abandoned")


def _holds(code: int) -> bool:
    """For calls that judge their input: False is an answer, unless the library says that it was misused.

    (Of two misuses in the same moment one may come out as False: refused, but without the text.)
    """
    if code != 1 and _complaint.value:
        _ok(code)
    return code == 1


def _secret(view: memoryview) -> Any:
    return ffi.from_buffer(_BYTES, view)


def fill_random(view: memoryview) -> None:
    """Fill a secret buffer (at most 256 bytes) from the operating system, without a copy in a Python object."""
    address = int(ffi.cast("uintptr_t", _secret(view)))
    if _libc.getentropy(address, len(view)) != 0:
        raise LibraryError("the operating system gave no randomness: nothing was generated")


def _own_context() -> Any:
    """A context that answers misuse by writing a text to our stream: `fputs` has the shape of the callback.

    A callback into Python would need memory that is writable and executable, which hardened services forbid.
    """
    context = lib.secp256k1_context_create(lib.SECP256K1_CONTEXT_NONE)
    fputs = ffi.cast("void(*)(char *, void *)", ctypes.cast(_libc.fputs, ctypes.c_void_p).value)
    lib.secp256k1_context_set_illegal_callback(context, fputs, ffi.cast("void *", _stream))
    _ok(lib.secp256k1_context_randomize(context, os.urandom(32)))
    return context


ctx: Final = _own_context()


# points (public)
def pubkey_parse(data: bytes) -> Point | None:
    """None where `data` (33 bytes) is not a point of the curve."""
    point: Point = _new(_PUBKEY)
    return point if _holds(lib.secp256k1_ec_pubkey_parse(ctx, point, data, len(data))) else None


def pubkey_serialize(point: Point) -> bytes:
    out, length = _new("unsigned char[33]"), _new(_LENGTH, 33)
    _ok(lib.secp256k1_ec_pubkey_serialize(ctx, out, length, point, _COMPRESSED))
    return bytes(_buffer(out))


def pubkey_coordinates(point: Point) -> tuple[bytes, bytes]:
    """x and y, 32 bytes each."""
    out, length = _new("unsigned char[65]"), _new(_LENGTH, 65)
    _ok(lib.secp256k1_ec_pubkey_serialize(ctx, out, length, point, _UNCOMPRESSED))
    raw = _buffer(out)
    return raw[1:33], raw[33:65]


def pubkey_combine(points: Sequence[Point]) -> Point | None:
    """The sum; None where it is the point at infinity."""
    total: Point = _new(_PUBKEY)
    return total if _holds(lib.secp256k1_ec_pubkey_combine(ctx, total, list(points), len(points))) else None


def pubkey_mul(point: Point, scalar: bytes) -> None:
    """point := scalar * point, in place; the scalar (public) is neither 0 nor above n."""
    _ok(lib.secp256k1_ec_pubkey_tweak_mul(ctx, point, scalar))


def pubkey_add(point: Point, scalar: bytes) -> bool:
    """point := point + scalar * G, in place; False where that is the point at infinity or the scalar is above n."""
    return _holds(lib.secp256k1_ec_pubkey_tweak_add(ctx, point, scalar))


def recover(r_and_s: bytes, recovery_id: int, msg: bytes) -> Point | None:
    """(s * R - msg * G) / r, where R has the x-coordinate and the parity that r and recovery_id give."""
    signature = _new(_RECOVERABLE)
    if not _holds(lib.secp256k1_ecdsa_recoverable_signature_parse_compact(ctx, signature, r_and_s, recovery_id)):
        return None
    point: Point = _new(_PUBKEY)
    return point if _holds(lib.secp256k1_ecdsa_recover(ctx, point, signature, msg)) else None


# secret scalars
def seckey_verify(secret: memoryview) -> bool:
    return _holds(lib.secp256k1_ec_seckey_verify(ctx, _secret(secret)))


def seckey_pubkey(secret: memoryview) -> Point:
    point: Point = _new(_PUBKEY)
    _ok(lib.secp256k1_ec_pubkey_create(ctx, point, _secret(secret)))
    return point


def seckey_negate(secret: memoryview) -> None:
    _ok(lib.secp256k1_ec_seckey_negate(ctx, _secret(secret)))


def seckey_mul(secret: memoryview, factor: bytes) -> None:
    """secret := factor * secret; the factor is public."""
    _ok(lib.secp256k1_ec_seckey_tweak_mul(ctx, _secret(secret), factor))


def seckey_add(secret: memoryview, other: memoryview) -> None:
    """secret := secret + other, both secret."""
    _ok(lib.secp256k1_ec_seckey_tweak_add(ctx, _secret(secret), _secret(other)))


def tagged_hash_into(out: memoryview, tag: bytes, preimage: memoryview) -> None:
    """BIP-340's tagged hash of a secret pre-image into a secret buffer of 32 bytes."""
    _ok(lib.secp256k1_tagged_sha256(ctx, _secret(out), tag, len(tag), _secret(preimage), len(preimage)))


def rfc6979_nonce(out: memoryview, secret: memoryview, msg: bytes, algorithm: bytes, counter: int) -> None:
    """RFC 6979's nonce number `counter` for a key, a message and a 16-byte algorithm name."""
    _ok(lib.secp256k1_nonce_function_rfc6979(_secret(out), msg, _secret(secret), algorithm, _NULL, counter))


# key pairs and BIP-340
def keypair_create(keypair: memoryview, secret: memoryview) -> Point | None:
    """Fill 96 bytes of secret memory with the key pair of a scalar; None where that is 0 or at least n."""
    pair = ffi.cast(_KEYPAIR, _secret(keypair))
    if not _holds(lib.secp256k1_keypair_create(ctx, pair, _secret(secret))):
        return None
    point: Point = _new(_PUBKEY)
    _ok(lib.secp256k1_keypair_pub(ctx, point, pair))
    return point


def xonly_parse(data: bytes) -> XonlyPoint | None:
    point: XonlyPoint = _new(_XONLY)
    return point if _holds(lib.secp256k1_xonly_pubkey_parse(ctx, point, data)) else None


def schnorrsig_sign(keypair: memoryview, msg: bytes, aux: memoryview) -> bytes:
    out = _new("unsigned char[64]")
    pair = ffi.cast(_KEYPAIR, _secret(keypair))
    _ok(lib.secp256k1_schnorrsig_sign32(ctx, out, msg, pair, _secret(aux)))
    return bytes(_buffer(out))


def schnorrsig_verify(signature: bytes, msg: bytes, point: XonlyPoint) -> bool:
    return _holds(lib.secp256k1_schnorrsig_verify(ctx, signature, msg, len(msg), point))


# the musig module
def musig_pubkey_agg(points: Sequence[Point]) -> KeyAggCache:
    cache: KeyAggCache = _new(_CACHE)
    _ok(lib.secp256k1_musig_pubkey_agg(ctx, _NULL, cache, list(points), len(points)))
    return cache


def musig_pubkey_get(cache: KeyAggCache) -> Point:
    point: Point = _new(_PUBKEY)
    _ok(lib.secp256k1_musig_pubkey_get(ctx, point, cache))
    return point


def musig_tweak(cache: KeyAggCache, tweak: bytes, *, xonly: bool) -> bool:
    """Tweak the aggregate key in place; False where the tweak is above n or the result is the point at infinity."""
    add = lib.secp256k1_musig_pubkey_xonly_tweak_add if xonly else lib.secp256k1_musig_pubkey_ec_tweak_add
    return _holds(add(ctx, _NULL, cache, tweak))


def musig_nonce_gen(  # noqa: PLR0917  (the order of the C function)
    secnonce: memoryview,
    fresh: memoryview,
    secret: memoryview,
    point: Point,
    msg: bytes | None,
    cache: KeyAggCache | None,
    extra: bytes | None,
) -> bytes:
    """Fill 132 bytes of secret memory with a nonce and return the public nonce. `fresh` (32 bytes) is zeroed."""
    public = _new(_PUBNONCE)
    handle = ffi.cast(_SECNONCE, _secret(secnonce))
    _ok(
        lib.secp256k1_musig_nonce_gen(
            ctx, handle, public, _secret(fresh), _secret(secret), point, msg or _NULL, cache or _NULL, extra or _NULL
        )
    )
    out = _new("unsigned char[66]")
    _ok(lib.secp256k1_musig_pubnonce_serialize(ctx, out, public))
    return bytes(_buffer(out))


def musig_pubnonce_parse(data: bytes) -> PubNonce | None:
    """None where one of the two points (33 bytes each) is not on the curve, or at infinity."""
    nonce: PubNonce = _new(_PUBNONCE)
    return nonce if _holds(lib.secp256k1_musig_pubnonce_parse(ctx, nonce, data)) else None


def musig_nonce_agg(nonces: Sequence[PubNonce]) -> bytes:
    total, out = _new(_AGGNONCE), _new("unsigned char[66]")
    _ok(lib.secp256k1_musig_nonce_agg(ctx, total, list(nonces), len(nonces)))
    _ok(lib.secp256k1_musig_aggnonce_serialize(ctx, out, total))
    return bytes(_buffer(out))


def musig_aggnonce_parse(data: bytes) -> AggNonce | None:
    """None where a point is not on the curve; 33 zero bytes stand for infinity."""
    nonce: AggNonce = _new(_AGGNONCE)
    return nonce if _holds(lib.secp256k1_musig_aggnonce_parse(ctx, nonce, data)) else None


def musig_nonce_process(aggnonce: AggNonce, msg: bytes, cache: KeyAggCache) -> Session:
    session: Session = _new(_SESSION)
    _ok(lib.secp256k1_musig_nonce_process(ctx, session, aggnonce, msg, cache))
    return session


def musig_partial_sign(secnonce: memoryview, keypair: memoryview, cache: KeyAggCache, session: Session) -> bytes:
    """Sign, and zero the secret nonce. A second call with the same memory is a `LibraryError`."""
    psig, out = _new(_PSIG), _new("unsigned char[32]")
    handle, pair = ffi.cast(_SECNONCE, _secret(secnonce)), ffi.cast(_KEYPAIR, _secret(keypair))
    _ok(lib.secp256k1_musig_partial_sign(ctx, psig, handle, pair, cache, session))
    _ok(lib.secp256k1_musig_partial_sig_serialize(ctx, out, psig))
    return bytes(_buffer(out))


def musig_partial_sig_parse(data: bytes) -> PartialSig | None:
    psig: PartialSig = _new(_PSIG)
    return psig if _holds(lib.secp256k1_musig_partial_sig_parse(ctx, psig, data)) else None


def musig_partial_sig_verify(
    psig: PartialSig, pubnonce: PubNonce, point: Point, cache: KeyAggCache, session: Session
) -> bool:
    return _holds(lib.secp256k1_musig_partial_sig_verify(ctx, psig, pubnonce, point, cache, session))


def musig_partial_sig_agg(session: Session, psigs: Sequence[PartialSig]) -> bytes:
    out = _new("unsigned char[64]")
    _ok(lib.secp256k1_musig_partial_sig_agg(ctx, out, session, list(psigs), len(psigs)))
    return bytes(_buffer(out))
