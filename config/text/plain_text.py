"""The one rule for text that people read and others wrote: which characters it may hold.

A terminal obeys control characters, and a browser obeys bidirectional ones: with U+202E the name of one signer is shown
as that of another. So clients are refused such text (`first_unfit`), and what peers signed, which cannot be altered,
loses those characters where it is shown (`cleaned`; `cleaned_body` for every answer and event). Each leaves U+FFFD
behind: were it just gone, a name or a value could become one that was never checked, such as `transactionHex`.
Whatever writes to a terminal or a log escapes what is still there (`escaped`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

GONE: Final = "\ufffd"
ONE_LINE: Final = frozenset({"agent", "label", "nickname", "reason"})  # members that stand in one line beside others
BREAKS: Final = frozenset("\n\t")  # allowed in texts of several lines
_SPACES: Final = frozenset("\n\t\r\v\f\x85\u2028\u2029")  # what becomes a space where it may not stay
# Joiners that scripts and emoji need, and the signs of Arabic and its relatives that stand around a number: Unicode
# counts both as format characters, like the bidirectional ones.
_FORMAT: Final = frozenset(
    "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_ESCAPE: Final = re.compile(rb"\\[bfnrtu]")  # in JSON
_PRINTABLE_ASCII: Final = bytes(range(0x20, 0x7F))


def first_unfit(text: str, *, lines: bool = False) -> str | None:
    """The first character that text for people may not hold, None if there is none.

    Unfit are control, format (bidirectional ones among them), private and unassigned characters, halves of characters
    and separators of lines and paragraphs. `lines` lets line breaks and tabs pass.
    """
    if text.isprintable():
        return None
    return next((char for char in text if not _fits(char, lines)), None)


def cleaned(text: str, *, lines: bool = False) -> str:
    """The text with U+FFFD for what is unfit, breaks of lines as spaces. The same object if nothing is to be done."""
    if first_unfit(text, lines=lines) is None:
        return text
    return "".join(char if _fits(char, lines) else _instead(char) for char in text)


def cleaned_json(value: Any, *, lines: bool = True) -> Any:
    """A JSON value in which every text and every name is cleaned; line breaks stay, but not in names of people."""
    match value:
        case str():
            return cleaned(value, lines=lines)
        case Mapping():
            return {cleaned(name): cleaned_json(item, lines=name not in ONE_LINE) for name, item in value.items()}
        case list() | tuple():
            return [cleaned_json(item, lines=lines) for item in value]
    return value


def cleaned_body(body: bytes) -> bytes:
    """Encoded JSON with every text in it cleaned. The same bytes, and nearly no time, where nothing is to be done."""
    if body.isascii() and b"\\" not in body and b"\x7f" not in body:
        return body
    beyond = body.translate(None, _PRINTABLE_ASCII).decode()
    if beyond.isprintable() and (b"\\" not in body or _ESCAPE.search(body) is None):
        return body
    return orjson.dumps(cleaned_json(orjson.loads(body)))


def escaped(text: str, *, lines: bool = False) -> str:
    r"""The text with what is unfit written as JSON escapes, such as \u202e; inside JSON it means the same as before."""
    if first_unfit(text, lines=lines) is None:
        return text
    return "".join(char if _fits(char, lines) else _escape(char) for char in text)


def _fits(char: str, lines: bool) -> bool:
    return char.isprintable() or char in _FORMAT or (lines and char in BREAKS) or _is_space(char)


def _is_space(char: str) -> bool:
    """The spaces of other scripts and of typography; Python calls only the ASCII one printable."""
    return char.isspace() and char > "\x9f" and char not in _SPACES


def _instead(char: str) -> str:
    return " " if char in _SPACES else GONE


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
