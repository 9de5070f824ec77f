"""What the keystore needs of others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Secret: TypeAlias = memoryview | bytearray  # of UTF-8; the caller wipes it


class KeyEvents(Protocol):
    """The part of `daemon.events.EventLog` that is needed here."""

    def append(
        self, conn: sqlite3.Connection, name: str, data: Mapping[str, Any], *, keys: Sequence[bytes] = ()
    ) -> object: ...

    def publish(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """Callbacks for a new key. `expected(pubkey)` is called before the key is stored, on the event loop;
    `stored(conn, pubkey)` runs in the transaction that stores it, after its event.
    """

    expected: Callable[[bytes], None] = lambda pubkey: None
    stored: Callable[[sqlite3.Connection, bytes], None] = lambda conn, pubkey: None


@dataclass(frozen=True, slots=True)
class Use:
    """A way in which a key can be in use. `holds` checks the database; `sentence` says what to do about it."""

    holds: Callable[[sqlite3.Connection, bytes], bool]
    sentence: str
