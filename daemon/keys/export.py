"""Exported keys: a line of text that only its own passphrase opens.

    musigd-key-1.<base64url of opslimit u64 | memlimit u64 | salt 16 | public key 33 | scheme | 0 | nonce, secret, tag>

Everything before the nonce is associated data of the seal, so none of it can be changed.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from dataclasses import dataclass
from typing import Final

from daemon.keys import sealing
from daemon.keys.errors import UnfitSealedKey, line_break_in
from daemon.keys.sealing import KdfCost, SealBroken
from musig2 import SecretKey

PREFIX: Final = "musigd-key-1."
_HEAD: Final = struct.Struct(">QQ16s33s")
_SEALED: Final = sealing.NONCE_SIZE + 32 + sealing.TAG_SIZE
_LEAST: Final = KdfCost(1, 8192)  # libsodium's lower limits
_MOST: Final = KdfCost(10, 1024 * 1024 * 1024)  # upper limits: how much work and memory an imported text can cause
_SCHEMES: Final = ("lotus", "bip340")


@dataclass(frozen=True, slots=True)
class SealedKey:
    """The fields of an exported text, before it is opened."""

    scheme: str
    pubkey: bytes
    salt: bytes
    cost: KdfCost
    associated: bytes
    sealed: bytes


def export(secret: SecretKey, scheme: str, passphrase: memoryview | bytearray, cost: KdfCost) -> str:
    """The exported text of a key, which is wiped. Slow: call it in a thread. Raises KdfMemoryError."""
    salt = secrets.token_bytes(sealing.SALT_SIZE)
    head = _HEAD.pack(cost.opslimit, cost.memlimit, salt, secret.pubkey) + scheme.encode() + b"\0"
    try:
        key = sealing.derive(passphrase, salt, cost)
        with secret.reveal() as view:
            sealed = sealing.seal(key, view, PREFIX.encode() + head)
        key.wipe()
    finally:
        secret.wipe()
    return PREFIX + base64.urlsafe_b64encode(head + sealed).decode().rstrip("=")


def read(text: str, wanted: str) -> SealedKey:
    """Parse an exported text. Raises UnfitSealedKey, also if its scheme is not the wanted one."""
    text = text.rstrip("\r\n")  # of the file that it was kept in
    if not text.startswith(PREFIX):
        raise UnfitSealedKey(f"must begin with {PREFIX}, as exportKey writes it")
    try:
        body = text.removeprefix(PREFIX)
        content = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        head, sealed = content[:-_SEALED], content[-_SEALED:]
        opslimit, memlimit, salt, pubkey = _HEAD.unpack_from(head)
        scheme = head[_HEAD.size : -1].decode("ascii")
    except (binascii.Error, ValueError, struct.error):
        raise UnfitSealedKey("is damaged: copy the whole line that exportKey wrote") from None
    if scheme not in _SCHEMES or head[-1:] != b"\0":
        raise UnfitSealedKey("is damaged: copy the whole line that exportKey wrote")
    if not (_LEAST.opslimit <= opslimit <= _MOST.opslimit and _LEAST.memlimit <= memlimit <= _MOST.memlimit):
        raise UnfitSealedKey("has work factors that exportKey never writes: copy the whole line again")
    if scheme != wanted:
        raise UnfitSealedKey(f"holds a key of {scheme}: name that scheme")
    return SealedKey(scheme, pubkey, salt, KdfCost(opslimit, memlimit), PREFIX.encode() + head, sealed)


def opened(key: SealedKey, passphrase: memoryview | bytearray) -> SecretKey:
    """The key. Slow: call it in a thread. Raises UnfitSealedKey for another passphrase, KdfMemoryError."""
    sealing_key = sealing.derive(passphrase, key.salt, key.cost)
    try:
        secret = SecretKey.from_buffer(sealing.unseal(sealing_key, key.sealed, key.associated))
    except SealBroken:
        raise UnfitSealedKey(
            f"does not open with this exportPassphrase{line_break_in(passphrase)}, or was changed"
        ) from None
    finally:
        sealing_key.wipe()
    if secret.pubkey != key.pubkey:
        secret.wipe()
        raise UnfitSealedKey("holds another key than it names")
    return secret
