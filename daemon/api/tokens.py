"""Handlers of `createToken`, `listTokens` and `revokeToken`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeAlias

from daemon.access.idempotency import keeping
from daemon.access.tokens import TokenInfo, Tokens
from daemon.keys.keystore import Keystore
from rpc.caller import Caller
from rpc.models import node as models
from rpc.models.wire import NoParams
from rpc.ports import Once

Write: TypeAlias = Callable[[sqlite3.Connection], None]


class TokenMethods:
    """Tokens through the API."""

    def __init__(self, *, tokens: Tokens, keystore: Keystore, withdraw: Callable[[str], Write]) -> None:
        """`withdraw`: takes back what a token approved; returns what to write."""
        self._tokens = tokens
        self._withdraw = withdraw
        self._keystore = keystore

    async def create_token(self, caller: Caller, params: models.CreateToken) -> models.TokenMade:
        """Raises `unknown_key` for a key that is not here, `no_such_scope`."""
        keys = None if params.public_keys is None else [bytes.fromhex(key) for key in params.public_keys]
        for key in keys or ():
            self._keystore.info(key)
        token_id, token = await self._tokens.create(
            params.scopes, keys, create_key=params.create_key, label=params.label or "", expires_at=params.expires_at
        )
        return models.TokenMade(token_id=token_id, token=token)

    async def list_tokens(self, caller: Caller, params: NoParams) -> models.TokenList:
        return models.TokenList(tokens=tuple(_shown(info) for info in self._tokens.listing()))

    async def revoke_token(
        self, caller: Caller, params: models.RevokeToken, once: Once | None = None
    ) -> models.Revoked:
        """What it approved and is not signed yet waits again. Raises `not_found`. The cookie ends with the process."""
        answer = models.Revoked(revoked=True)
        keep, withdraw = keeping(once, answer), self._withdraw(params.token_id)

        def also(conn: sqlite3.Connection) -> None:
            withdraw(conn)
            keep(conn)

        await self._tokens.revoke(params.token_id, also=also)
        return answer


def _shown(info: TokenInfo) -> models.Token:
    return models.Token(
        token_id=info.token_id,
        scopes=info.scopes,
        public_keys=None if info.keys is None else tuple(sorted(key.hex() for key in info.keys)),
        create_key=info.create_key,
        label=info.label,
        created_at=info.created_at,
        expires_at=info.expires_at,
    )
