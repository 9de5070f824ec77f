"""Finds the caller of a token."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from rpc.caller import OWNER, Caller
from rpc.errors import ApiError
from rpc.ports import TokenFact, TokenStore

SUBPROTOCOL = "musigd"
MARK = "mt_"  # every token begins with it
TOKEN_LENGTH = len(MARK) + 64  # characters: 32 random bytes in hex
_BEARER_SUBPROTOCOL = "bearer."


def token_digest(token: str) -> bytes:
    """The stored form of a token: a plain hash is enough, because tokens are 32 random bytes."""
    return sha256(b"musigd/token/v1" + token.encode()).digest()


def subprotocols_of(lines: Iterable[str]) -> list[str]:
    """What a WebSocket client offers: all its `Sec-WebSocket-Protocol` lines are one list (RFC 6455 section 11.3.4)."""
    return [name for line in lines for part in line.split(",") if (name := part.strip())]


def bearer_of(authorization: str | None, subprotocols: Sequence[str] = ()) -> str | None:
    """The token of an `Authorization` header, or of the subprotocols, which are what browsers can set."""
    if authorization is not None:
        kind, _, token = authorization.partition(" ")
        return token.strip() if kind.lower() == "bearer" else None
    for name in subprotocols:
        if name.startswith(_BEARER_SUBPROTOCOL):
            return name.removeprefix(_BEARER_SUBPROTOCOL)
    return None


class Authenticator:
    """Finds callers by their tokens. `now_ms` is the wall clock, for tokens that expire."""

    def __init__(self, tokens: TokenStore, now_ms: Callable[[], int]) -> None:
        self._tokens = tokens
        self._now_ms = now_ms

    def caller_of(self, token: str | None) -> Caller:
        """Raises ApiError `unauthenticated` for no token, an unknown one and an expired one alike."""
        if token is not None:
            digest = token_digest(token)
            fact = self._tokens.find(digest)
            if fact is not None and hmac.compare_digest(fact.digest, digest) and not self._expired(fact):
                return _caller(fact)
            _refuse_cut(token)
        raise ApiError(
            "unauthenticated",
            "Send a valid token as 'Authorization: Bearer <token>': the one in the file .cookie of the data directory "
            "(it changes at each start), or one made with createToken.",
        )

    def refreshed(self, token_id: str) -> Caller | None:
        """The caller as its token stands now; None once it is revoked or expired."""
        fact = self._tokens.get(token_id)
        return None if fact is None or self._expired(fact) else _caller(fact)

    def as_of_now(self, caller: Caller) -> Caller:
        """The same for a call that takes long; raises ApiError `unauthenticated` where there is none.

        The owner stays the owner: the unix socket needs no token.
        """
        fresh = caller if caller.token_id == OWNER else self.refreshed(caller.token_id)
        if fresh is None:
            raise ApiError("unauthenticated", "The token was revoked or has expired while the call was waiting.")
        return fresh

    def _expired(self, fact: TokenFact) -> bool:
        return fact.expires_at is not None and fact.expires_at <= self._now_ms()


def _refuse_cut(token: str) -> None:
    """Another sentence for what begins as a token and has another length: it was not copied whole."""
    if token.startswith(MARK) and len(token) != TOKEN_LENGTH:
        raise ApiError(
            "unauthenticated", f"A token has {TOKEN_LENGTH} characters and this one has {len(token)}: copy it whole."
        )


def _caller(fact: TokenFact) -> Caller:
    return Caller(token_id=fact.token_id, scopes=fact.scopes, keys=fact.keys, create_key=fact.create_key)
