"""Reads a private key as wallets export it: 64 hex digits, or WIF (base58 with a checksum; Bitcoin's and Lotus's).

Own code, because libraries return objects that cannot be wiped: this works in one buffer.
"""

from __future__ import annotations

import hashlib
from typing import Final

from daemon.keys.errors import UnfitPrivateKey
from musig2 import MusigError, SecretKey

_WIF_VERSIONS: Final = frozenset({0x80, 0xEF})  # main and test networks, the same on both chains
_COMPRESSED: Final = 0x01
_HEX: Final = {code: int(chr(code), 16) for code in b"0123456789abcdefABCDEF"}
_BASE58: Final = {
    code: value for value, code in enumerate(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}
_LONGEST_WIF: Final = 52
_WIF_BYTES: Final = 38  # version, key, compressed or not, checksum


def secret_key_from_text(text: memoryview | bytearray) -> SecretKey:
    """The key. Raises UnfitPrivateKey, which never repeats what was given. The text stays as it is."""
    text = _without_line_end(text)
    content = _from_hex(text) or _from_wif(text)
    if content is None:
        raise UnfitPrivateKey("must be 64 hex digits or WIF; this is neither, or its checksum fails")
    try:
        return SecretKey.from_buffer(content)
    except MusigError:
        raise UnfitPrivateKey("must be above 0 and below the group order") from None


def _without_line_end(text: memoryview | bytearray) -> memoryview:
    """That of the file that it was kept in; no copy."""
    size = len(text)
    while size and text[size - 1] in b"\r\n":
        size -= 1
    return memoryview(text)[:size]


def _from_hex(text: memoryview | bytearray) -> bytearray | None:
    if len(text) != 64 or any(code not in _HEX for code in text):
        return None
    content = bytearray(32)
    for place in range(32):
        content[place] = _HEX[text[2 * place]] << 4 | _HEX[text[2 * place + 1]]
    return content


def _from_wif(text: memoryview | bytearray) -> bytearray | None:
    if len(text) > _LONGEST_WIF or any(code not in _BASE58 for code in text):
        return None
    number = bytearray(_WIF_BYTES)  # big endian; both WIF versions are above 0, so no leading zero is lost
    for code in text:
        carry = _BASE58[code]
        for place in range(_WIF_BYTES - 1, -1, -1):
            carry += 58 * number[place]
            number[place] = carry & 0xFF
            carry >>= 8
    try:
        return _checked(number)
    finally:
        number[:] = bytes(_WIF_BYTES)


def _checked(number: bytearray) -> bytearray | None:
    """The 32 key bytes from a number made of version, key, perhaps the compression byte, checksum."""
    size = _WIF_BYTES if number[0] else _WIF_BYTES - 1
    with memoryview(number) as view, view[-size:] as content, content[:-4] as body:
        digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
        if digest[:4] != content[-4:] or body[0] not in _WIF_VERSIONS or body[33:] not in (b"", bytes([_COMPRESSED])):
            return None
        return bytearray(body[1:33])
