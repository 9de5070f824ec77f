"""Takes the secrets out of a message before anything makes a string of them.

A Python string cannot be wiped, and JSON parsers make strings. So the value of a secret is moved from the message's
bytes into locked memory, a marker takes its place, and the marker is replaced by the memory once the message is parsed.
Only members with a name in `SECRET_PARAMS` are treated so; in calls that take no secret the value becomes text again.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from musig2.curve.memory import LockedBuffer
from rpc.calls.envelope import CallItem, Item
from rpc.errors import ApiError
from rpc.sent_secret import LONGEST, SECRET_METHODS, SECRET_PARAMS, SentSecret

_MEMBER: Final = re.compile(
    rb'"(?:' + b"|".join(sorted(name.encode() for name in SECRET_PARAMS)) + rb')"\s*:\s*"((?:[^"\\\x00-\x1f]|\\.)*)"'
)
# Well-formed UTF-8 (RFC 3629 section 4).
_UTF8: Final = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*"
)
_LONGEST_WRITTEN: Final = 12 * LONGEST  # each character as two escapes
_MOST: Final = 256
_ESCAPED: Final = {ord(name): ord(char) for name, char in zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True)}
_MARKER: Final = f"secret-{secrets.token_hex(16)}-"


def may_carry_secret(data: bytes) -> bool:
    """Whether these bytes of a message could contain a secret. Fast; may say yes without one, never no with one."""
    return b'assphrase"' in data or b'rivateKey"' in data


def take_out(body: bytes) -> tuple[bytes, Sequence[SentSecret]]:
    """The message with markers instead of secrets, and the secrets. Raises ApiError `parse_error`.

    A value that is too long for a secret, or comes after the first 256, stays where it is.
    """
    pieces: list[bytes] = []
    taken: list[SentSecret] = []
    end = 0
    for found in islice(_MEMBER.finditer(body), _MOST):
        start, stop = found.span(1)
        if stop - start > _LONGEST_WRITTEN:
            continue
        pieces.append(body[end:start] + f"{_MARKER}{len(taken)}".encode())
        taken.append(_unescaped(body, start, stop))
        end = stop
    return b"".join([*pieces, body[end:]]), taken


def put_back(item: Item, taken: Sequence[SentSecret]) -> None:
    """Replaces the markers in the params of a call: by the secret if the call takes one, else by its text."""
    if not isinstance(item, CallItem) or type(item.params) is not dict:
        return
    takes = item.method in SECRET_METHODS
    for name, value in item.params.items():
        place = _place(value)
        if takes and name in SECRET_PARAMS and place is not None:
            item.params[name] = taken[place]
        else:
            item.params[name] = _as_text(value, taken)


def _as_text(value: Any, taken: Sequence[SentSecret]) -> Any:
    if type(value) is dict:
        return {name: _as_text(inner, taken) for name, inner in value.items()}
    if type(value) is list:
        return [_as_text(inner, taken) for inner in value]
    place = _place(value)
    return value if place is None else bytes(taken[place].view).decode()


def _place(value: Any) -> int | None:
    return int(value[len(_MARKER) :]) if type(value) is str and value.startswith(_MARKER) else None


def _unescaped(body: bytes, start: int, stop: int) -> SentSecret:
    """The string between two positions, as UTF-8 (RFC 8259 section 7)."""
    buffer = LockedBuffer(stop - start)
    view, at, size = buffer.view, start, 0
    while at < stop:
        if body[at] != 0x5C:
            view[size] = body[at]
            at, size = at + 1, size + 1
        elif body[at + 1] in _ESCAPED:
            view[size] = _ESCAPED[body[at + 1]]
            at, size = at + 2, size + 1
        else:
            code, at = _code_point(body, at)
            size += _write_utf8(view, size, code)
    buffer.shorten(size)
    if _UTF8.fullmatch(buffer.view) is None:
        raise _broken("a secret is not UTF-8")
    return SentSecret(buffer)


def _code_point(body: bytes, at: int) -> tuple[int, int]:
    """The code point written as \\uXXXX, or as two of them, and the position behind it."""
    high, at = _unit(body, at), at + 6
    if 0xD800 <= high < 0xDC00:
        low = _unit(body, at)
        if 0xDC00 <= low < 0xE000:
            return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00, at + 6
    if 0xD800 <= high < 0xE000:
        raise _broken("a secret holds half of a surrogate pair")
    return high, at


def _unit(body: bytes, at: int) -> int:
    digits = [_HEX.find(body[place]) for place in range(at + 2, min(at + 6, len(body)))]
    if body[at : at + 2] != b"\\u" or len(digits) < 4 or -1 in digits:
        raise _broken("a secret holds an escape that is none of JSON's")
    return sum((digit if digit < 16 else digit - 6) << 4 * (3 - place) for place, digit in enumerate(digits))


_HEX: Final = b"0123456789abcdefABCDEF"


def _write_utf8(view: memoryview, at: int, code: int) -> int:
    """How many bytes it took: fewer than the escape did, so they fit."""
    if code < 0x80:
        view[at] = code
        return 1
    tail = 1 if code < 0x800 else 2 if code < 0x10000 else 3
    view[at] = _LEADS[tail - 1] | code >> 6 * tail
    for place in range(1, tail + 1):
        view[at + place] = 0x80 | code >> 6 * (tail - place) & 0x3F
    return tail + 1


_LEADS: Final = (0xC0, 0xE0, 0xF0)


def _broken(what: str) -> ApiError:
    return ApiError("parse_error", f"The body is not JSON: {what}.")
