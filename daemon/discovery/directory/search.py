"""findAvailableSigners over the stored directory: newest first, pages by key, every filter with an index.

The most selective filter decides the query. A filter that few advertisements pass is read from its own index and the
result sorted; if no filter is selective, the newest advertisements are read in order until the caller has enough.
Counting shows which filter is selective; it stops at NARROW.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from daemon.discovery.directory import reputation
from daemon.discovery.directory.lines import ANY_TYPE

NARROW = 500


@dataclass(frozen=True, slots=True)
class Query:
    """What to find; None means any. An amount matches when it lies within the bounds of the advertisement."""

    transaction_type: str | None = None
    purpose: str | None = None
    scheme: str | None = None
    min_amount: int | None = None
    max_amount: int | None = None
    min_reputation: int = 0
    before: tuple[int, int] | None = None  # (ts, seq) of the last one of the page before


Clause: TypeAlias = "tuple[str, tuple[Any, ...]]"

BY_REPUTATION = "reputation r CROSS JOIN signers s ON s.ts = r.ts AND s.seq = r.seq AND s.pubkey = r.pubkey"

# Each filter with the index that answers it. The indexes cover only the rows of ANY_TYPE.
INDEX_OF = {
    "s.scheme = ?": "signers_by_scheme",
    "s.purpose = ?": "signers_by_purpose",
    "s.low <= ?": "signers_by_low",
    "s.high >= ?": "signers_by_high",
}


def search(conn: sqlite3.Connection, query: Query, now_ms: int, latest_ms: int) -> Iterator[tuple[int, int]]:
    """(ts, seq) of the lines that match, newest first; a lazy iterator: stop when there are enough.

    `latest_ms`: lines with a later ts are left out; they were stored while this machine's clock was ahead.
    """
    clauses = [("s.exp > ?", (now_ms,)), ("s.ts <= ?", (latest_ms,)), *_filters(query)]
    if query.before is not None:
        clauses.append(("(s.ts, s.seq) < (?, ?)", query.before))
    tables, first = _driver(conn, query, now_ms)
    sql, params = _where(tables, [*first, *clauses])
    yield from conn.execute(f"SELECT s.ts, s.seq FROM {sql} ORDER BY s.ts DESC, s.seq DESC", params)  # noqa: S608 - fixed texts, values bound


def _driver(conn: sqlite3.Connection, query: Query, now_ms: int) -> tuple[str, list[Clause]]:
    """The tables in the order in which they are read, and the clauses that join them."""
    wanted = query.transaction_type
    narrow = _narrowest(conn, query)
    any_type: list[Clause] = [("s.type = ''", ())]
    if query.min_reputation > 0:
        good, bad, least = reputation.at_least(query.min_reputation, now_ms)
        trusted: Clause = ("r.good_weight * ? - r.bad_weight * ? >= ?", (good, bad, least))
        if _count(conn, "reputation r", [trusted]) < NARROW:
            return BY_REPUTATION, [trusted, ("s.type = ?", (wanted or ANY_TYPE,))]
        tables = f"signers s {narrow} CROSS JOIN reputation r ON r.pubkey = s.pubkey"
        return _of_type(tables, wanted, [trusted, *any_type])
    if narrow:
        return _of_type(f"signers s {narrow}", wanted, any_type)
    return "signers s", [("s.type = ?", (wanted or ANY_TYPE,))]


def _of_type(tables: str, wanted: str | None, clauses: list[Clause]) -> tuple[str, list[Clause]]:
    """Rows of ANY_TYPE that also have a row of the wanted type."""
    if wanted is None:
        return tables, clauses
    joined = f"{tables} CROSS JOIN signers t ON t.type = ? AND t.ts = s.ts AND t.seq = s.seq"
    return joined, [("", (wanted,)), *clauses]


def _filters(query: Query) -> list[Clause]:
    clauses: list[Clause] = []
    if query.scheme is not None:
        clauses.append(("s.scheme = ?", (query.scheme,)))
    if query.purpose is not None:
        clauses.append(("s.purpose = ?", (query.purpose.lower(),)))
    amounts = [amount for amount in (query.min_amount, query.max_amount) if amount is not None]
    if amounts:
        clauses += [("s.low <= ?", (min(amounts),)), ("s.high >= ?", (max(amounts),))]
    return clauses


def _narrowest(conn: sqlite3.Connection, query: Query) -> str:
    """The index of the filter that the fewest advertisements pass; empty when no filter is selective."""
    fewest, choice = NARROW, ""
    for text, values in _filters(query):
        index = f"INDEXED BY {INDEX_OF[text]}"
        count = _count(conn, f"signers s {index}", [("s.type = ''", ()), (text, values)])
        if count < fewest:
            fewest, choice = count, index
    return choice


def _count(conn: sqlite3.Connection, tables: str, clauses: list[Clause]) -> int:
    sql, params = _where(tables, clauses)
    return int(conn.execute(f"SELECT count(*) FROM (SELECT 1 FROM {sql} LIMIT {NARROW})", params).fetchone()[0])  # noqa: S608 - fixed texts, values bound


def _where(tables: str, clauses: list[Clause]) -> tuple[str, list[Any]]:
    """The tables with their conditions; a clause without text only adds the value for an earlier join."""
    params = [value for _, values in clauses for value in values]
    return f"{tables} WHERE " + " AND ".join(text for text, _ in clauses if text), params
