"""Encryption at rest: Argon2id and XChaCha20-Poly1305 from libsodium. The only file that knows PyNaCl's functions.

PyNaCl's own wrappers take and return immutable `bytes`, which cannot be wiped; here every key and every opened secret
lives in memory that can be. Sealed values and associated data are public.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from nacl._sodium import ffi, lib  # type: ignore[import-not-found]  # a C extension without type stubs
from nacl.bindings import sodium_init

from daemon.errors import DaemonError
from musig2.curve.memory import Slot, take_slot

KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 24
TAG_SIZE: Final = 16
_HEX_DIGITS: Final = b"0123456789abcdef"
_ARGON2ID: Final = 2  # crypto_pwhash_ALG_ARGON2ID13

sodium_init()  # before any other call, as libsodium asks for; `nacl._sodium` alone does not do it


@dataclass(frozen=True, slots=True)
class KdfCost:
    """What one guess at the passphrase costs: passes over the memory, and bytes of memory."""

    opslimit: int
    memlimit: int


MODERATE: Final = KdfCost(3, 256 * 1024 * 1024)  # libsodium's name; for passphrases that people choose
INTERACTIVE: Final = KdfCost(2, 64 * 1024 * 1024)  # for 32 random bytes, which cannot be guessed


class SealBroken(DaemonError):
    """The key is wrong or the sealed bytes were changed; the two cannot be told apart."""

    reason = "wrong_passphrase"

    def __init__(self) -> None:
        super().__init__("A sealed secret does not open: the passphrase is another one, or the database was altered.")


class KdfMemoryError(DaemonError):
    """The system refused the memory that the key derivation needs for a moment."""

    reason = "out_of_memory"


class SealingKey:
    """32 secret bytes to seal with, in wipeable memory."""

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    @classmethod
    def generate(cls) -> SealingKey:
        slot = take_slot()
        lib.randombytes(ffi.from_buffer(slot.view), KEY_SIZE)
        return cls(slot)

    @property
    def view(self) -> memoryview:
        """The secret bytes, to be wrapped under another key and for nothing else."""
        return self._slot.view[:KEY_SIZE]

    def wipe(self) -> None:
        self._slot.wipe()

    def __repr__(self) -> str:
        return "<SealingKey>"


def random_hex(size: int) -> bytearray:
    """So many random bytes as hex digits, in a buffer that the caller wipes."""
    content = bytearray(2 * size)
    slot = take_slot()
    lib.randombytes(ffi.from_buffer(slot.view), size)
    for place, byte in enumerate(slot.view[:size]):
        content[2 * place], content[2 * place + 1] = _HEX_DIGITS[byte >> 4], _HEX_DIGITS[byte & 15]
    slot.wipe()
    return content


def derive(passphrase: memoryview | bytearray, salt: bytes, cost: KdfCost) -> SealingKey:
    """Argon2id; takes about half a second and 256 MiB at MODERATE cost, and lets other threads run meanwhile.

    Raises KdfMemoryError.
    """
    slot = take_slot()
    failed = lib.crypto_pwhash(
        ffi.from_buffer(slot.view),
        KEY_SIZE,
        ffi.from_buffer(passphrase),
        len(passphrase),
        salt,
        cost.opslimit,
        cost.memlimit,
        _ARGON2ID,
    )
    if failed:
        mebibytes = cost.memlimit // 2**20
        raise KdfMemoryError(f"Opening the keys needs {mebibytes} MiB of memory for a moment: give the process more.")
    return SealingKey(slot)


def seal(key: SealingKey, secret: memoryview, associated: bytes) -> bytes:
    """nonce | ciphertext | tag. `associated` is not inside, but must be the same to open it."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    sealed = bytearray(len(secret) + TAG_SIZE)
    lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
        ffi.from_buffer(sealed),
        ffi.NULL,
        ffi.from_buffer(secret),
        len(secret),
        associated,
        len(associated),
        ffi.NULL,
        nonce,
        ffi.from_buffer(key.view),
    )
    return nonce + bytes(sealed)


def unseal(key: SealingKey, sealed: bytes, associated: bytes) -> bytearray:
    """The secret, in a buffer that the caller wipes. Raises SealBroken."""
    size = len(sealed) - NONCE_SIZE - TAG_SIZE
    if size < 0:
        raise SealBroken
    secret = bytearray(size)
    failed = lib.crypto_aead_xchacha20poly1305_ietf_decrypt(
        ffi.from_buffer(secret),
        ffi.NULL,
        ffi.NULL,
        sealed[NONCE_SIZE:],
        size + TAG_SIZE,
        associated,
        len(associated),
        sealed[:NONCE_SIZE],
        ffi.from_buffer(key.view),
    )
    if failed:
        raise SealBroken
    return secret


def unseal_key(key: SealingKey, sealed: bytes, associated: bytes) -> SealingKey:
    """A key that was sealed under another one. Raises SealBroken."""
    secret = unseal(key, sealed, associated)
    slot = take_slot()
    slot.view[:KEY_SIZE] = secret
    secret[:] = bytes(len(secret))
    return SealingKey(slot)
