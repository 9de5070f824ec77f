"""Tokens, idempotency answers and health in memory, as the server's ports want them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rpc.caller import OWNER, Scope, scopes_of
from rpc.ports import Problem, StoredAnswer, TokenFact
from rpc.server.auth import token_digest

COOKIE = "cookie-token"


class MemoryTokens:
    def __init__(self) -> None:
        self._facts: dict[str, TokenFact] = {}
        self._callbacks: dict[object, Callable[[], None]] = {}
        self.put(TokenFact(OWNER, token_digest(COOKIE), frozenset(Scope), None, create_key=True))

    def find(self, digest: bytes) -> TokenFact | None:
        return next((fact for fact in self._facts.values() if fact.digest == digest), None)

    def get(self, token_id: str) -> TokenFact | None:
        return self._facts.get(token_id)

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        place = object()
        self._callbacks[place] = callback
        return lambda: self._callbacks.pop(place, None) and None

    def put(self, fact: TokenFact) -> None:
        self._facts[fact.token_id] = fact
        self._tell()

    def revoke(self, token_id: str) -> bool:
        known = self._facts.pop(token_id, None) is not None
        self._tell()
        return known

    def all(self) -> list[TokenFact]:
        return [fact for fact in self._facts.values() if fact.token_id != OWNER]

    def make(
        self,
        token: str,
        *scopes: str,
        keys: Sequence[str] | None = None,
        create_key: bool = False,
        expires_at: int | None = None,
    ) -> str:
        """Stores a token of that text and returns the text; its token id is the text with `id-` before it."""
        bound = None if keys is None else frozenset(bytes.fromhex(key) for key in keys)
        fact = TokenFact(f"id-{token}", token_digest(token), scopes_of(scopes), bound, create_key, expires_at)
        self.put(fact)
        return token

    def _tell(self) -> None:
        for callback in list(self._callbacks.values()):
            callback()


class MemoryOnce:
    wants_answer = True
    kept: bytes | None = None

    def keep(self, transaction: object, answer: object) -> None:
        """Ignored: these stores have no transactions."""


class MemoryAnswers:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], StoredAnswer] = {}

    def once(self, token_id: str, key: str, digest: bytes) -> MemoryOnce:
        return MemoryOnce()

    async def find(self, token_id: str, key: str) -> StoredAnswer | None:
        return self.rows.get((token_id, key))

    async def save(self, token_id: str, key: str, answer: StoredAnswer) -> None:
        self.rows[token_id, key] = answer


class SettableHealth:
    def __init__(self) -> None:
        self.faults: list[Problem] = []
        self.dead: list[Problem] = []

    def live(self) -> Sequence[Problem]:
        return self.dead

    def ready(self) -> Sequence[Problem]:
        return self.faults
