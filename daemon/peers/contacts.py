"""Contacts: signers that the owner added by their pairing links; stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from daemon.clock import WallClock
from daemon.errors import Refused
from daemon.store import Store

MOST: Final = 1_000


class TooManyContacts(Refused):
    """There is no room for another one."""

    reason = "too_many"

    def __init__(self) -> None:
        super().__init__(f"There are {MOST} contacts, which is the most: removeContact makes room.")


@dataclass(frozen=True, slots=True)
class KnownSigner:
    """A public key (33 bytes) and where its daemon was; each of `multiaddrs` ends in the peer id."""

    key: bytes
    scheme: Literal["lotus", "bip340"]
    nickname: str
    multiaddrs: tuple[str, ...]
    since_ms: int


def is_contact(conn: sqlite3.Connection, key: bytes) -> bool:
    """Whether the owner added the signer with that key; on any thread."""
    return conn.execute("SELECT 1 FROM contacts WHERE key = ?", (key,)).fetchone() is not None


class Contacts:
    """The stored contacts."""

    def __init__(self, *, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock

    def now_ms(self) -> int:
        """The `added` time of a contact that is added now."""
        return self._clock.wall_ms()

    def all(self) -> Sequence[KnownSigner]:
        """All contacts by name, those without one last."""
        query = "SELECT key, scheme, nickname, multiaddrs, since FROM contacts ORDER BY nickname = '', nickname, key"
        rows = self._store.read(lambda conn: conn.execute(query).fetchall())
        return [
            KnownSigner(key, scheme, name, tuple(where.split(" ")), since) for key, scheme, name, where, since in rows
        ]

    async def add(self, signer: KnownSigner, also: Callable[[sqlite3.Connection], None]) -> None:
        """Store a contact, replacing one of this key. `also` runs in the same transaction. Raises TooManyContacts."""

        def save(conn: sqlite3.Connection) -> None:
            others = conn.execute("SELECT count(*) FROM contacts WHERE key <> ?", (signer.key,)).fetchone()[0]
            if others >= MOST:
                raise TooManyContacts
            row = (signer.key, signer.scheme, signer.nickname, " ".join(signer.multiaddrs), signer.since_ms)
            query = "INSERT OR REPLACE INTO contacts (key, scheme, nickname, multiaddrs, since) VALUES (?, ?, ?, ?, ?)"
            conn.execute(query, row)
            also(conn)

        await self._store.write(save)

    async def remove(self, key: bytes, also: Callable[[sqlite3.Connection], None]) -> None:
        """Delete a contact; does nothing if there is none."""

        def delete(conn: sqlite3.Connection) -> None:
            conn.execute("DELETE FROM contacts WHERE key = ?", (key,))
            also(conn)

        await self._store.write(delete)
