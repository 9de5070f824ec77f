"""The data key that seals every signing key, itself wrapped under the passphrase.

One derivation opens everything; a new passphrase only rewrites one row. The row contains version, id and cost of the
derivation, all of it associated data: a row with a lower cost, or of another vault, does not open. The table in
keystore.py says how it is opened at the start.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import struct
from dataclasses import dataclass
from typing import Final

from daemon.host.slow_disk import off_loop
from daemon.keys import sealing
from daemon.keys.passphrase import PassphraseError, PassphraseFile, PassphraseSource
from daemon.keys.sealing import KdfCost, SealBroken, SealingKey
from daemon.store import Store

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
    passphrase: memoryview | bytearray,
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


def unwrap(vault: Vault, passphrase: memoryview | bytearray) -> SealingKey:
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
    """Store the vault in place of the former one."""
    conn.execute(
        "INSERT OR REPLACE INTO vault (id, version, vault_id, salt, opslimit, memlimit, wrapped, generated) "
        "VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (VERSION, vault.vault_id, vault.salt, vault.cost.opslimit, vault.cost.memlimit, vault.wrapped, vault.generated),
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """The cost of a guess for a chosen passphrase and for a generated one."""

    chosen: KdfCost = sealing.MODERATE
    generated: KdfCost = sealing.INTERACTIVE


async def open_vault(store: Store, source: PassphraseFile, costs: Costs) -> tuple[Vault, SealingKey | None]:
    """The vault, made if there is none yet, and its data key unless it stays locked. Raises PassphraseError."""
    stored = store.read(load)
    if stored is None:
        return await _make(store, source, costs)
    if source.origin is PassphraseSource.GENERATED and not await off_loop(source.path.exists):
        return stored, None
    try:
        return stored, await _unlock(stored, source)
    except PassphraseError:
        if source.origin is PassphraseSource.GENERATED and not stored.generated:
            return stored, None  # a leftover from before the owner chose another passphrase: the owner unlocks
        raise


async def _make(store: Store, source: PassphraseFile, costs: Costs) -> tuple[Vault, SealingKey]:
    generated = source.origin is PassphraseSource.GENERATED
    if generated and not await off_loop(source.path.exists):
        await off_loop(source.generate)
    data_key = SealingKey.generate()
    passphrase = await off_loop(source.read)  # it may be a pipe, or on another machine
    cost = costs.generated if generated else costs.chosen
    made = await asyncio.to_thread(wrap, data_key, passphrase, cost, generated=generated)
    passphrase[:] = bytes(len(passphrase))
    await store.write(lambda conn: save(conn, made))
    return made, data_key


async def _unlock(stored: Vault, source: PassphraseFile) -> SealingKey:
    passphrase = await off_loop(source.read)  # it may be a pipe, or on another machine
    try:
        return await asyncio.to_thread(unwrap, stored, passphrase)
    except SealBroken:
        raise PassphraseError(
            f"The passphrase in {source.path} ({source.origin.value}) does not open the keys: "
            f"{_remedy(stored, source)}."
        ) from None
    finally:
        passphrase[:] = bytes(len(passphrase))


def _remedy(stored: Vault, source: PassphraseFile) -> str:
    if source.origin is PassphraseSource.GENERATED:
        return "bring that file back from a backup"
    if stored.generated:
        return (
            "they are still under the one in the file `passphrase` of the data directory; start without this setting, "
            "use changePassphrase, then set it again"
        )
    return "put the right one there, or start without it and use `musig-cli unlock passphrase=@FILE`"
