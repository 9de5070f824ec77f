"""Cursors of lists: the number of the last row shown, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from daemon.errors import InvalidParam

T = TypeVar("T")
FIRST = 2**62  # above every row number
KNOWN = "k"  # prefix of a cursor in the first part of a list
PAGE_BYTES = 256 * 1024  # of envelopes; as JSON it is about four times as much


def known_position_of(cursor: str | None) -> tuple[bool, int]:
    """The same in a list that shows requests of known creators first: whether the page begins among these."""
    if cursor is None:
        return True, FIRST
    known = cursor.startswith(KNOWN)
    return known, position_of(cursor.removeprefix(KNOWN))


def position_of(cursor: str | None) -> int:
    """The row number below which the next page begins; raises InvalidParam for a foreign cursor."""
    if cursor is None:
        return FIRST
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise InvalidParam("cursor", "is not a cursor of this list; pass nextCursor of the page before")
    return int(cursor)


def that_fit(found: Sequence[T], limit: int, size: Callable[[T], int]) -> int:
    """How many of `found` one page shows: at most `limit`, at least one, and no more than `PAGE_BYTES` of them."""
    total, count = 0, 0
    for row in found[:limit]:
        total += size(row)
        if count and total > PAGE_BYTES:
            break
        count += 1
    return count


def next_cursor(found: Sequence[T], limit: int, number: Callable[[T], int]) -> str | None:
    """`nextCursor`, where `found` has one row more than the page shows; None where this page is the last."""
    return str(number(found[limit - 1])) if len(found) > limit else None
