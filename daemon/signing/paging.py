"""Cursors of lists: the number of the last row shown, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rpc.errors import invalid_param

T = TypeVar("T")
FIRST = 2**62  # above every row number


def position_of(cursor: str | None) -> int:
    """The row number below which the next page begins; raises ApiError `invalid_params` for a foreign cursor."""
    if cursor is None:
        return FIRST
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise invalid_param("cursor", "is none of this list; take nextCursor of the page before")
    return int(cursor)


def next_cursor(found: Sequence[T], limit: int, number: Callable[[T], int]) -> dict[str, str]:
    """`nextCursor`, where `found` has one row more than the page shows; nothing where this page is the last."""
    return {"nextCursor": str(number(found[limit - 1]))} if len(found) > limit else {}
