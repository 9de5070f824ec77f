"""What happens to the vault when the daemon starts; the table is in keystore.py."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from daemon.host.slow_disk import off_loop
from daemon.keys import sealing, vault
from daemon.keys.passphrase import PassphraseError, PassphraseFile, PassphraseSource
from daemon.keys.sealing import KdfCost, SealBroken, SealingKey
from daemon.keys.vault import Vault
from daemon.store import Store


@dataclass(frozen=True, slots=True)
class Costs:
    """What a guess costs for a passphrase that somebody chose, and for a generated one."""

    chosen: KdfCost = sealing.MODERATE
    generated: KdfCost = sealing.INTERACTIVE


async def open_vault(store: Store, source: PassphraseFile, costs: Costs) -> tuple[Vault, SealingKey | None]:
    """The vault, made if there is none yet, and its data key unless it stays locked. Raises PassphraseError."""
    stored = store.read(vault.load)
    if stored is None:
        return await _make(store, source, costs)
    if source.origin is PassphraseSource.GENERATED and not await off_loop(source.path.exists):
        return stored, None
    try:
        return stored, await _unlock(stored, source)
    except PassphraseError:
        if source.origin is PassphraseSource.GENERATED and not stored.generated:
            return stored, None  # a left-over from before the owner chose another: the owner unlocks
        raise


async def _make(store: Store, source: PassphraseFile, costs: Costs) -> tuple[Vault, SealingKey]:
    generated = source.origin is PassphraseSource.GENERATED
    if generated and not await off_loop(source.path.exists):
        await off_loop(source.generate)
    data_key = SealingKey.generate()
    passphrase = await off_loop(source.read)  # it may be a pipe, or on another machine
    cost = costs.generated if generated else costs.chosen
    made = await asyncio.to_thread(vault.wrap, data_key, passphrase, cost, generated=generated)
    passphrase[:] = bytes(len(passphrase))
    await store.write(lambda conn: vault.save(conn, made))
    return made, data_key


async def _unlock(stored: Vault, source: PassphraseFile) -> SealingKey:
    passphrase = await off_loop(source.read)  # it may be a pipe, or on another machine
    try:
        return await asyncio.to_thread(vault.unwrap, stored, passphrase)
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
