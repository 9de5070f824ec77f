"""The signing keys of this daemon: sealed in the database, opened one by one into memory that is wiped on lock.

How it starts (`start`):

    no vault yet   a configured file or a systemd credential   the vault is made under it
                   neither                                     `<datadir>/passphrase` (0600) is generated and the vault
                                                               made under it: encrypted, and restarts need nobody
    a vault        a configured file or a credential           must open it, or the daemon does not start (exit code 2)
                   neither, vault made under the generated one the generated file must open it; if it is gone: locked
                   neither, passphrase chosen by the owner     locked until `unlock`, unless the owner wrote it into
                                                               `<datadir>/passphrase`

The database without the passphrase reveals nothing; whoever reads the whole datadir also gets a generated passphrase.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import musig2
from daemon.clock import Clock
from daemon.host.slow_disk import off_loop
from daemon.keys import export, vault
from daemon.keys import rows as key_rows
from daemon.keys.attempts import PassphraseAttempts
from daemon.keys.errors import (
    KeyExists,
    KeyInUse,
    KeyKeptOutside,
    KeyPaused,
    KeysLocked,
    UnknownKey,
    WrongPassphrase,
)
from daemon.keys.passphrase import PassphraseFile, PassphraseSource
from daemon.keys.ports import Arrival, KeyEvents, Secret, Use
from daemon.keys.private_keys import secret_key_from_text
from daemon.keys.relock import RelockTimer
from daemon.keys.rows import KeyInfo, StoredKey
from daemon.keys.sealing import SealBroken, SealingKey
from daemon.keys.vault import Costs, Vault, open_vault
from daemon.store import Store
from musig2 import SecretKey


class Keystore:
    """Own keys, by public key. Use it from the event loop. It refuses with the errors of `daemon.keys.errors`.

    Stored changes emit `key:created`, `key:paused`, `key:resumed` and `node:passphrase-changed`; lock and unlock change
    only memory, and `daemon.keys.lock_events` emits their events.
    """

    def __init__(self, *, store: Store, clock: Clock, events: KeyEvents, costs: Costs | None = None) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._costs = Costs() if costs is None else costs
        self._vault: Vault | None = None
        self._data_key: SealingKey | None = None
        self._stored: dict[bytes, StoredKey] = {}
        self._open: dict[bytes, SecretKey] = {}
        self._changing = asyncio.Lock()
        self._attempts = PassphraseAttempts(clock)
        self._relock = RelockTimer(clock, self.lock)
        self._source: PassphraseFile | None = None
        self._on_lock: list[Callable[[], None]] = []
        self._on_unlock: list[Callable[[], None]] = []
        self.passphrase_file_is_stale = False

    async def start(self, source: PassphraseFile) -> None:
        """Load the keys and unlock them if `source` can; the table above. Raises PassphraseError."""
        self._source = source
        self._vault, self._data_key = await open_vault(self._store, source, self._costs)
        self._stored = self._store.read(key_rows.load)

    def stop(self) -> None:
        """Wipe every secret, without events or callbacks."""
        self._relock.cancel()
        self._wipe()

    @property
    def locked(self) -> bool:
        return self._data_key is None

    @property
    def locks_at_ms(self) -> int | None:
        """When the keys will lock by themselves (ms, wall clock); None if they will not."""
        return self._relock.at_ms

    def keys(self) -> Sequence[bytes]:
        """Public keys of all own keys, oldest first."""
        return tuple(self._stored)

    def listing(self) -> Sequence[KeyInfo]:
        """All own keys, oldest first."""
        return tuple(stored.info for stored in self._stored.values())

    def info(self, pubkey: bytes) -> KeyInfo:
        """Raises UnknownKey."""
        stored = self._stored.get(pubkey)
        if stored is None:
            raise UnknownKey(pubkey)
        return stored.info

    def scheme_of(self, pubkey: bytes) -> str:
        """`lotus` or `bip340`. Raises UnknownKey."""
        return self.info(pubkey).scheme

    def get(self, pubkey: bytes, *, even_paused: bool = False) -> SecretKey:
        """The secret key. Use it at once and do not keep it: `lock` wipes it.

        Raises UnknownKey, KeyKeptOutside, KeysLocked, KeyPaused.
        """
        info = self.info(pubkey)
        if info.external:
            raise KeyKeptOutside
        if self._data_key is None:
            raise KeysLocked
        if info.paused and not even_paused:
            raise KeyPaused(pubkey)
        secret = self._open.get(pubkey)
        return self._unseal(pubkey, self._data_key) if secret is None else secret

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes:
        """A Schnorr signature (64 bytes) over 32 bytes under the key's scheme. Raises as `get`."""
        return musig2.scheme(self.scheme_of(pubkey)).schnorr_sign(self.get(pubkey, even_paused=even_paused), digest)

    async def create(self, scheme: str, label: str = "", arrival: Arrival | None = None) -> KeyInfo:
        """A new key. Raises KeysLocked."""
        return await self._add(SecretKey.generate, scheme, label, arrival, imported=False)

    async def import_key(
        self, private_key: Secret, scheme: str, label: str = "", arrival: Arrival | None = None
    ) -> KeyInfo:
        """Import a key given as hex or WIF. Raises KeysLocked, UnfitPrivateKey, KeyExists.

        KeyExists if this secret or its negation is here under either scheme: one secret belongs to one scheme.
        """
        return await self._add(lambda: secret_key_from_text(private_key), scheme, label, arrival, imported=True)

    async def import_sealed(
        self, text: str, passphrase: Secret, scheme: str, label: str = "", arrival: Arrival | None = None
    ) -> KeyInfo:
        """Import what `export` wrote. Raises as `import_key`, UnfitSealedKey, KdfMemoryError."""
        secret = await asyncio.to_thread(export.opened, export.read(text, scheme), passphrase)
        return await self._add(lambda: secret, scheme, label, arrival, imported=True)

    async def export(self, pubkey: bytes, passphrase: Secret, export_passphrase: Secret) -> str:
        """The key, sealed under a passphrase of its own; the vault's is asked for again.

        Raises UnknownKey, KeyKeptOutside, WrongPassphrase, TooManyAttempts, KdfMemoryError.
        """
        if self.info(pubkey).external:
            raise KeyKeptOutside
        async with self._changing:
            assert self._vault is not None, "start() made or loaded it"
            data_key = await self._checked(passphrase)
            secret = key_rows.unsealed(self._stored[pubkey], self._vault.vault_id, data_key)
            data_key.wipe()
            cost, scheme = self._costs.chosen, self.scheme_of(pubkey)
            return await asyncio.to_thread(export.export, secret, scheme, export_passphrase, cost)

    async def delete(self, pubkey: bytes, uses: Iterable[Use], also: Callable[[sqlite3.Connection], None]) -> None:
        """Delete a key for good; records of what it signed stay. `also` runs in the same transaction.

        Raises UnknownKey, and KeyInUse for the first of `uses` that holds.
        """
        async with self._changing:
            self.info(pubkey)

            def save(conn: sqlite3.Connection) -> None:
                for use in uses:
                    if use.holds(conn, pubkey):
                        raise KeyInUse(pubkey, use.sentence)
                key_rows.delete(conn, pubkey)
                self._tell(conn, "key:deleted", pubkey)
                also(conn)

            await self._store.write(save)
            del self._stored[pubkey]
            if (secret := self._open.pop(pubkey, None)) is not None:
                secret.wipe()
        self._events.publish()

    async def pause(self, pubkey: bytes, reason: str | None = None) -> KeyInfo:
        """Let this key sign nothing new until `resume`; `reason`: why, if not its owner asked. Raises UnknownKey."""
        return await self._set_paused(pubkey, paused=True, reason=reason)

    async def resume(self, pubkey: bytes) -> KeyInfo:
        """Raises UnknownKey."""
        return await self._set_paused(pubkey, paused=False)

    async def unlock(self, passphrase: Secret, duration_ms: int | None = None) -> None:
        """Unlock the keys, for `duration_ms` if given. Raises WrongPassphrase, TooManyAttempts, KdfMemoryError."""
        async with self._changing:
            data_key = await self._checked(passphrase)
            was_locked = self.locked
            self._adopt(data_key)
            self._relock.set(duration_ms)
        if was_locked:
            _call(self._on_unlock)

    def lock(self) -> None:
        """Wipe every secret at once, then run the callbacks of `on_lock`."""
        self._relock.cancel()
        if self.locked:
            return
        self._wipe()
        _call(self._on_lock)

    async def change_passphrase(self, passphrase: Secret, new_passphrase: Secret) -> None:
        """Seal all keys under a new data key, and the data key under the new passphrase.

        A generated passphrase file is removed: from then on the owner unlocks or configures a file. Raises as `unlock`.
        """
        async with self._changing:
            old = await self._checked(passphrase)
            was_generated = self._vault is not None and self._vault.generated
            try:
                await self._reseal(old, new_passphrase)
            finally:
                old.wipe()
        if self._source is None or not await off_loop(self._source.path.exists):
            return
        if was_generated and self._source.origin is PassphraseSource.GENERATED:
            await off_loop(self._source.path.unlink)
        else:
            self.passphrase_file_is_stale = True

    def needs_generated_file(self) -> bool:
        """Whether the next start needs the generated passphrase file to open the keys."""
        generated = self._vault is not None and self._vault.generated
        return generated and self._source is not None and self._source.origin is PassphraseSource.GENERATED

    def on_lock(self, callback: Callable[[], None]) -> None:
        """Call back after the secrets were wiped by `lock` or its timer; `get` then raises KeysLocked."""
        self._on_lock.append(callback)

    def on_unlock(self, callback: Callable[[], None]) -> None:
        """Call back after locked keys became usable."""
        self._on_unlock.append(callback)

    async def _checked(self, passphrase: Secret) -> SealingKey:
        stored = self._vault
        assert stored is not None, "start() made or loaded it"
        self._attempts.require_turn()
        try:
            data_key = await asyncio.to_thread(vault.unwrap, stored, passphrase)
        except SealBroken:
            self._attempts.failed()
            raise WrongPassphrase(passphrase) from None
        self._attempts.succeeded()
        return data_key

    async def _reseal(self, old: SealingKey, new_passphrase: Secret) -> None:
        assert self._vault is not None, "start() made or loaded it"
        vault_id = self._vault.vault_id
        fresh = SealingKey.generate()
        made = await asyncio.to_thread(
            vault.wrap, fresh, new_passphrase, self._costs.chosen, generated=False, vault_id=vault_id
        )
        resealed = {
            pubkey: replace(stored, sealed=key_rows.reseal(stored, vault_id, old, fresh))
            for pubkey, stored in self._stored.items()
        }

        def save(conn: sqlite3.Connection) -> None:
            vault.save(conn, made)
            key_rows.save_sealed(conn, resealed.values())
            self._events.append(conn, "node:passphrase-changed", {})

        await self._store.write(save)
        self._events.publish()
        self._vault = made
        self._stored |= {key: replace(self._stored[key], sealed=stored.sealed) for key, stored in resealed.items()}
        if self.locked:
            fresh.wipe()
        else:
            self._adopt(fresh)

    async def _add(
        self, make: Callable[[], SecretKey], scheme: str, label: str, arrival: Arrival | None, *, imported: bool
    ) -> KeyInfo:
        brought = Arrival() if arrival is None else arrival
        async with self._changing:
            if self._data_key is None or self._vault is None:
                raise KeysLocked
            secret = make()
            if any(secret.pubkey[1:] == other[1:] for other in self._stored):
                secret.wipe()
                raise KeyExists
            info = KeyInfo(secret.pubkey, scheme, label, external=False, paused=False, created_at=self._clock.wall_ms())
            stored = key_rows.sealed(info, self._vault.vault_id, self._data_key, secret)
            secret.wipe()
            brought.expected(info.pubkey)

            def save(conn: sqlite3.Connection) -> None:
                key_rows.insert(conn, stored)
                self._tell(conn, "key:created", info.pubkey, scheme=scheme, label=label, imported=imported)
                brought.stored(conn, info.pubkey)

            await self._store.write(save)
            self._stored[info.pubkey] = stored
            self._events.publish()
            return info

    async def _set_paused(self, pubkey: bytes, *, paused: bool, reason: str | None = None) -> KeyInfo:
        self.info(pubkey)
        why = {} if reason is None else {"reason": reason}

        def save(conn: sqlite3.Connection) -> None:
            if key_rows.save_paused(conn, pubkey, paused=paused):
                self._tell(conn, "key:paused" if paused else "key:resumed", pubkey, **why)

        await self._store.write(save)
        stored = self._stored[pubkey]
        self._stored[pubkey] = replace(stored, info=replace(stored.info, paused=paused))
        self._events.publish()
        return self._stored[pubkey].info

    def _tell(self, conn: sqlite3.Connection, event: str, pubkey: bytes, **data: object) -> None:
        self._events.append(conn, event, {"publicKey": pubkey.hex(), **data}, keys=[pubkey])

    def _unseal(self, pubkey: bytes, data_key: SealingKey) -> SecretKey:
        assert self._vault is not None, "there is a data key"
        secret = key_rows.unsealed(self._stored[pubkey], self._vault.vault_id, data_key)
        self._open[pubkey] = secret
        return secret

    def _adopt(self, data_key: SealingKey) -> None:
        if self._data_key is not None:
            self._data_key.wipe()
        self._data_key = data_key

    def _wipe(self) -> None:
        for secret in self._open.values():
            secret.wipe()
        self._open.clear()
        if self._data_key is not None:
            self._data_key.wipe()
            self._data_key = None


def _call(callbacks: Iterable[Callable[[], None]]) -> None:
    for callback in tuple(callbacks):
        callback()
