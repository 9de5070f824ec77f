"""Handlers of `createKey` to `changePassphrase`."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence

from daemon.access.tokens import Tokens
from daemon.keys.errors import MayNotCreateKeys
from daemon.keys.keystore import Keystore
from daemon.keys.ports import Arrival, Use
from daemon.keys.rows import KeyInfo
from rpc.caller import Caller
from rpc.models import keys as models
from rpc.models.wire import NoParams, NoParamsChange
from rpc.ports import Once


class KeyMethods:
    """Keys through the API. A token that creates a key is bound to it in the same commit."""

    def __init__(
        self,
        *,
        keystore: Keystore,
        tokens: Tokens,
        paused: Callable[[Sequence[bytes]], None],
        lock_told: Callable[[], Awaitable[None]],
        uses: Sequence[Use] = (),
        deleted: Callable[[bytes], None] = lambda key: None,
    ) -> None:
        """`paused` is called with the keys that may no longer sign, so that their open sessions end.

        `lock_told` returns when the events of lock and unlock are stored. `uses`: what keeps a key from being deleted;
        `deleted` is called with one that was.
        """
        self._keystore = keystore
        self._tokens = tokens
        self._paused = paused
        self._lock_told = lock_told
        self._uses = uses
        self._deleted = deleted

    async def create_key(self, caller: Caller, params: models.CreateKey, once: Once | None = None) -> models.KeyMade:
        _require_creation(caller)
        return await self._add(
            caller, params, lambda arrival: self._keystore.create(params.scheme, params.label or "", arrival), once
        )

    async def import_key(self, caller: Caller, params: models.ImportKey) -> models.KeyMade:
        _require_creation(caller)
        secret = params.private_key or params.export_passphrase
        assert secret is not None, "the model sees to it"
        text, label = params.sealed_key, params.label or ""

        def add(arrival: Arrival) -> Awaitable[KeyInfo]:
            if text is None:
                return self._keystore.import_key(secret.view, params.scheme, label, arrival)
            return self._keystore.import_sealed(text, secret.view, params.scheme, label, arrival)

        try:
            return await self._add(caller, params, add)
        finally:
            secret.wipe()

    async def export_key(self, caller: Caller, params: models.ExportKey) -> models.ExportedKey:
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        scheme = self._keystore.scheme_of(pubkey)
        try:
            text = await self._keystore.export(pubkey, params.passphrase.view, params.export_passphrase.view)
        finally:
            params.passphrase.wipe()
            params.export_passphrase.wipe()
        shown = {"publicKey": params.public_key, "scheme": scheme, "sealedKey": text}
        return models.ExportedKey.model_validate(shown)

    async def delete_key(self, caller: Caller, params: models.NameKey, once: Once | None = None) -> models.KeyDeleted:
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        gone = models.KeyDeleted(public_key=params.public_key, deleted=True)

        def also(conn: sqlite3.Connection) -> None:
            if once is not None:
                once.keep(conn, gone)

        await self._keystore.delete(pubkey, self._uses, also)
        self._deleted(pubkey)
        return gone

    async def list_keys(self, caller: Caller, params: NoParams) -> models.KeyList:
        seen = (info for info in self._keystore.listing() if caller.sees(info.pubkey))
        return models.KeyList(keys=tuple(models.Key.model_validate(_fields(info)) for info in seen))

    async def pause_key(self, caller: Caller, params: models.NameKey, once: Once | None = None) -> models.ChangedKey:
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        info = await self._keystore.pause(pubkey)
        self._paused([pubkey])
        return models.ChangedKey.model_validate(_fields(info))

    async def resume_key(self, caller: Caller, params: models.NameKey, once: Once | None = None) -> models.ChangedKey:
        pubkey = bytes.fromhex(params.public_key)
        caller.require_key(pubkey)
        return models.ChangedKey.model_validate(_fields(await self._keystore.resume(pubkey)))

    async def unlock(self, caller: Caller, params: models.Unlock) -> models.LockState:
        try:
            await self._keystore.unlock(params.passphrase.view, params.duration_ms)
        finally:
            params.passphrase.wipe()
        await self._lock_told()
        return self._lock_state()

    async def lock(self, caller: Caller, params: NoParamsChange, once: Once | None = None) -> models.LockState:
        self._keystore.lock()
        await self._lock_told()
        return self._lock_state()

    async def change_passphrase(self, caller: Caller, params: models.ChangePassphrase) -> models.PassphraseChanged:
        try:
            await self._keystore.change_passphrase(params.passphrase.view, params.new_passphrase.view)
        finally:
            params.passphrase.wipe()
            params.new_passphrase.wipe()
        return models.PassphraseChanged(changed=True)

    async def _add(
        self,
        caller: Caller,
        params: models.CreateKey | models.ImportKey,
        add: Callable[[Arrival], Awaitable[KeyInfo]],
        once: Once | None = None,
    ) -> models.KeyMade:
        """Add a key; in the same transaction it is bound to the token that made it, and the answer is stored."""
        expected: list[bytes] = []

        def expect(pubkey: bytes) -> None:
            expected.append(pubkey)
            self._tokens.bind(caller.token_id, pubkey)

        def store(conn: sqlite3.Connection, pubkey: bytes) -> None:
            self._tokens.store_binding(conn, caller.token_id, pubkey)
            if once is not None:
                once.keep(conn, _made(pubkey, params))

        try:
            made = await add(Arrival(expect, store))
        except Exception:
            for pubkey in expected:
                self._tokens.unbind(caller.token_id, pubkey)
            raise
        return _made(made.pubkey, params)

    def _lock_state(self) -> models.LockState:
        return models.LockState(locked=self._keystore.locked, until=self._keystore.locks_at_ms)


def _require_creation(caller: Caller) -> None:
    if caller.keys is not None and not caller.create_key:
        raise MayNotCreateKeys


def _made(pubkey: bytes, params: models.CreateKey | models.ImportKey) -> models.KeyMade:
    return models.KeyMade(public_key=pubkey.hex(), scheme=params.scheme, label=params.label or "")


def _fields(info: KeyInfo) -> dict[str, str | int | bool]:
    return {
        "publicKey": info.pubkey.hex(),
        "scheme": info.scheme,
        "label": info.label,
        "external": info.external,
        "paused": info.paused,
        "createdAt": info.created_at,
    }
