"""Reads a private key as wallets export it: 64 hex digits, or WIF (base58 with a checksum; Bitcoin's and Lotus's)."""

from __future__ import annotations

import re
from typing import Final

import base58

from daemon.keys.errors import UnfitPrivateKey
from musig2 import MusigError, SecretKey

_WIF_VERSIONS: Final = frozenset({0x80, 0xEF})  # main and test networks, the same on both chains
_COMPRESSED: Final = 0x01


def secret_key_from_text(text: str) -> SecretKey:
    """The key. Raises UnfitPrivateKey, which never repeats what was given."""
    content = _from_hex(text) if re.fullmatch("[0-9a-fA-F]{64}", text) else _from_wif(text)
    try:
        return SecretKey.from_buffer(content)
    except MusigError:
        raise UnfitPrivateKey("must be above 0 and below the group order") from None


def _from_hex(text: str) -> bytearray:
    return bytearray.fromhex(text)


def _from_wif(text: str) -> bytearray:
    try:
        content = bytearray(base58.b58decode_check(text))
    except ValueError:  # its text shows the input
        content = bytearray()
    known = len(content) in {33, 34} and content[0] in _WIF_VERSIONS
    if not known or content[33:] not in (b"", bytes([_COMPRESSED])):
        raise UnfitPrivateKey("must be 64 hex digits or WIF; this is neither, or its checksum fails")
    secret = content[1:33]
    content[:] = bytes(len(content))
    return secret
