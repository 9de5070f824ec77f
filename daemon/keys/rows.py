"""The table of keys: what is known of each, and its secret sealed under the data key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from daemon.keys import sealing
from daemon.keys.sealing import SealingKey
from musig2 import SecretKey


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of an own key. `external`: its private half is kept elsewhere. `created_at` in ms."""

    pubkey: bytes
    scheme: str
    label: str
    external: bool
    paused: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row. `sealed` opens under the data key only, and only as the key of this scheme and vault."""

    info: KeyInfo
    sealed: bytes | None


def _associated(info: KeyInfo, vault_id: bytes) -> bytes:
    return b"musigd/key/v1" + vault_id + info.pubkey + info.scheme.encode()


def sealed(info: KeyInfo, vault_id: bytes, data_key: SealingKey, secret: SecretKey) -> StoredKey:
    """The row of a key of this daemon."""
    with secret.reveal() as view:
        return StoredKey(info, sealing.seal(data_key, view, _associated(info, vault_id)))


def unsealed(stored: StoredKey, vault_id: bytes, data_key: SealingKey) -> SecretKey:
    """The secret key. Raises SealBroken when the row was tampered with."""
    assert stored.sealed is not None, "an external key has no secret here"
    return SecretKey.from_buffer(sealing.unseal(data_key, stored.sealed, _associated(stored.info, vault_id)))


def reseal(stored: StoredKey, vault_id: bytes, old: SealingKey, fresh: SealingKey) -> bytes | None:
    """The same secret under another data key; None for an external key."""
    if stored.sealed is None:
        return None
    secret = sealing.unseal(old, stored.sealed, _associated(stored.info, vault_id))
    try:
        return sealing.seal(fresh, memoryview(secret), _associated(stored.info, vault_id))
    finally:
        secret[:] = bytes(len(secret))


def load(conn: sqlite3.Connection) -> dict[bytes, StoredKey]:
    """All keys, oldest first."""
    rows = conn.execute(
        "SELECT pubkey, scheme, label, external, paused, created_at, sealed FROM keys ORDER BY created_at, pubkey"
    )
    return {
        pubkey: StoredKey(KeyInfo(pubkey, scheme, label, bool(external), bool(paused), created_at), secret)
        for pubkey, scheme, label, external, paused, created_at, secret in rows
    }


def insert(conn: sqlite3.Connection, stored: StoredKey) -> None:
    info = stored.info
    conn.execute(
        "INSERT INTO keys (pubkey, xonly, scheme, label, external, paused, created_at, sealed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            info.pubkey,
            info.pubkey[1:],
            info.scheme,
            info.label,
            info.external,
            info.paused,
            info.created_at,
            stored.sealed,
        ),
    )


def delete(conn: sqlite3.Connection, pubkey: bytes) -> None:
    conn.execute("DELETE FROM keys WHERE pubkey = ?", (pubkey,))


def save_paused(conn: sqlite3.Connection, pubkey: bytes, *, paused: bool) -> bool:
    """Whether that changed anything."""
    query = "UPDATE keys SET paused = ? WHERE pubkey = ? AND paused <> ?"
    return conn.execute(query, (paused, pubkey, paused)).rowcount > 0


def save_sealed(conn: sqlite3.Connection, keys: Iterable[StoredKey]) -> None:
    conn.executemany("UPDATE keys SET sealed = ? WHERE pubkey = ?", [(key.sealed, key.info.pubkey) for key in keys])
