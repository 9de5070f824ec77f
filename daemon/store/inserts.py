"""Inserts many rows with one statement.

Each statement gives up the interpreter's lock and waits for it again, and other threads are busy: for them one with ten
rows costs what one with one row does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

AT_ONCE: Final = 64


def insert_rows(conn: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]], otherwise: str = "") -> int:
    """Insert rows in this order. `into` is the statement up to VALUES, `otherwise` the text after the rows.

    Returns the rowid of the last row, 0 for no rows; those of a table with AUTOINCREMENT follow each other.
    """
    last = 0
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        statement = _statement(into, len(some[0]), len(some), otherwise)
        values = some[0] if len(some) == 1 else [value for row in some for value in row]
        last = conn.execute(statement, values).lastrowid or 0
    return last


@lru_cache(maxsize=1024)
def _statement(into: str, width: int, count: int, otherwise: str) -> str:
    marks = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([marks] * count)} {otherwise}"
