"""The data key that seals every signing key, itself wrapped under the passphrase.

One derivation opens everything; another passphrase means one row to write anew. The row carries version, id and cost of
the derivation, and all of it is associated data: a cheaper cost or somebody else's row does not open.
"""

from __future__ import annotations

import secrets
import sqlite3
import struct
from dataclasses import dataclass
from typing import Final

from daemon.keys import sealing
from daemon.keys.sealing import KdfCost, SealingKey

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Vault:
    """The row: nothing in it is secret. `generated`: it opens with the passphrase file made at first start."""

    vault_id: bytes
    salt: bytes
    cost: KdfCost
    wrapped: bytes
    generated: bool

    @property
    def associated(self) -> bytes:
        return _associated(self.vault_id, self.salt, self.cost)


def _associated(vault_id: bytes, salt: bytes, cost: KdfCost) -> bytes:
    return b"musigd/vault" + struct.pack(">I16s16sQQ", VERSION, vault_id, salt, cost.opslimit, cost.memlimit)


def wrap(
    data_key: SealingKey,
    passphrase: bytes | bytearray,
    cost: KdfCost,
    *,
    generated: bool,
    vault_id: bytes | None = None,
) -> Vault:
    """A vault around `data_key`, with a fresh salt. Slow: call it in a thread."""
    name = secrets.token_bytes(16) if vault_id is None else vault_id
    salt = secrets.token_bytes(sealing.SALT_SIZE)
    key = sealing.derive(passphrase, salt, cost)
    wrapped = sealing.seal(key, data_key.view, _associated(name, salt, cost))
    key.wipe()
    return Vault(name, salt, cost, wrapped, generated)


def unwrap(vault: Vault, passphrase: bytes | bytearray) -> SealingKey:
    """The data key. Slow: call it in a thread. Raises SealBroken for a wrong passphrase."""
    key = sealing.derive(passphrase, vault.salt, vault.cost)
    try:
        return sealing.unseal_key(key, vault.wrapped, vault.associated)
    finally:
        key.wipe()


def load(conn: sqlite3.Connection) -> Vault | None:
    """The stored vault, if there is one yet."""
    row = conn.execute("SELECT vault_id, salt, opslimit, memlimit, wrapped, generated FROM vault").fetchone()
    if row is None:
        return None
    vault_id, salt, opslimit, memlimit, wrapped, generated = row
    return Vault(vault_id, salt, KdfCost(opslimit, memlimit), wrapped, bool(generated))


def save(conn: sqlite3.Connection, vault: Vault) -> None:
    """Store it in place of the former one."""
    conn.execute(
        "INSERT OR REPLACE INTO vault (id, version, vault_id, salt, opslimit, memlimit, wrapped, generated) "
        "VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (VERSION, vault.vault_id, vault.salt, vault.cost.opslimit, vault.cost.memlimit, vault.wrapped, vault.generated),
    )
