"""Which transaction types the clients of this daemon follow: stored per token, followed as a union."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection

from daemon.discovery.errors import TooManyTypes
from daemon.store import Store

MOST_TYPES = 64  # of one token: each is a topic of its own on the network


class Follows:
    """Belongs to the event loop."""

    def __init__(
        self, *, store: Store, in_force: Callable[[str], bool], bound: Callable[[str], bool] = lambda token: False
    ) -> None:
        """`in_force`: whether the token is still valid; `bound`: whether it is bound to keys."""
        self._store = store
        self._in_force = in_force
        self._bound = bound
        self._by_token: defaultdict[str, set[str]] = defaultdict(set)

    def load(self) -> None:
        """Load what was followed before the last stop."""
        rows = self._store.read(lambda conn: conn.execute("SELECT token, type FROM discovery_follows").fetchall())
        for token, name in rows:
            self._by_token[token].add(name)

    def union(self) -> frozenset[str]:
        """The types that at least one token follows."""
        return frozenset().union(*(types for token, types in self._by_token.items() if self._in_force(token)))

    def union_of_bound(self) -> frozenset[str]:
        """The types that at least one token bound to keys follows: to it, the daemon's other keys are other signers."""
        return frozenset().union(*(types for token, types in self._by_token.items() if self._bound(token)))

    def types_of(self, token: str) -> Collection[str]:
        """What this token follows."""
        return self._by_token.get(token, ())

    async def add(self, token: str, types: Collection[str]) -> None:
        """Follow these too. Raises TooManyTypes beyond `MOST_TYPES`."""
        if len(self._by_token[token].union(types)) > MOST_TYPES:
            raise TooManyTypes(MOST_TYPES)

        def write(conn: sqlite3.Connection) -> None:
            rows = [(token, name) for name in types]
            conn.executemany("INSERT OR IGNORE INTO discovery_follows (token, type) VALUES (?, ?)", rows)

        await self._store.write(write)
        self._by_token[token].update(types)

    async def remove(self, token: str, types: Collection[str] | None) -> None:
        """Stop following these, or all."""
        gone = set(self._by_token.get(token, ()) if types is None else types)

        def write(conn: sqlite3.Connection) -> None:
            rows = [(token, name) for name in gone]
            conn.executemany("DELETE FROM discovery_follows WHERE token = ? AND type = ?", rows)

        await self._store.write(write)
        self._by_token[token] -= gone
        if not self._by_token[token]:
            del self._by_token[token]
