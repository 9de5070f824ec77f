"""What this package needs from the program around it, and nothing more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypedDict

from pydantic import BaseModel

from rpc.caller import Caller, Scope
from rpc.errors import ApiError
from rpc.models.wire import Params

# Params are the method's own params model. A dict goes out as it is (camelCase, JSON-ready, absent instead of None).
Answer: TypeAlias = "Mapping[str, Any] | BaseModel | bool"
# Takes caller and params; that of a method with an idempotency key also a `Once`, None for a call without key.
Handler: TypeAlias = Callable[..., Awaitable[Answer]]
# Method name as on the wire (`advertiseSigner`) to the coroutine function that serves it; see `rpc.handlers`.
Handlers: TypeAlias = Mapping[str, Handler]
# A public key to the schemes that it is known to sign; empty where nothing is known.
SchemesOf: TypeAlias = Callable[[bytes], Collection[str]]
# Token id to the transaction types that this token follows now.
Followed: TypeAlias = Callable[[str], Collection[str]]
# The mark in the lock of a data directory to whether this daemon holds it, and stops now.
Stop: TypeAlias = Callable[[str], bool]
# The same for reading the settings again: what became of that; None when it is another daemon's lock.
Reload: TypeAlias = Callable[[str], Awaitable["Reloaded | None"]]


class Reloaded(TypedDict):
    """What `/reload` answers, by things: names of settings, and `the policy`, `the TLS files`, `the peer identity`.

    `taken`: others than before, and in force. `unchanged`: read again, as before; `the settings` if none has changed.
    `needRestart`: settings that have changed and wait for a restart. `failed`: why a thing stays as it was.
    """

    taken: list[str]
    unchanged: list[str]
    needRestart: list[str]
    failed: dict[str, str]


class Guard(Protocol):
    """What the program does around every handler of its own."""

    def check(self, caller: Caller, params: Params) -> None:
        """Raises ApiError for params that fit their model and not what they name."""

    def refusal_of(self, error: Exception) -> ApiError | None:
        """What the client is told of an error that is no ApiError; None for a fault of the program."""


class LoggedEvent(Protocol):
    """One row of the event log. `data` is JSON-ready; `data["publicKeys"]` are the own keys it concerns, as hex."""

    @property
    def seq(self) -> int: ...
    @property
    def event(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class EventSource(Protocol):
    """The stored event log: a gapless `seq` from 1, committed before anybody hears of it."""

    @property
    def log_id(self) -> str: ...
    @property
    def next_seq(self) -> int:
        """The seq the next event will get."""

    @property
    def oldest_seq(self) -> int:
        """The oldest seq still kept; `next_seq` when nothing is."""

    def read(self, from_seq: int, limit: int) -> Sequence[LoggedEvent]:
        """Events with seq >= from_seq, in order, at most `limit`; all that are below `next_seq`."""

    def subscribe(self, callback: Callable[[Sequence[LoggedEvent]], None]) -> Callable[[], None]:
        """Calls back on the event loop with each burst of newly committed events, in order, each event once.

        `next_seq` is already past the burst when the callback runs. Returns what ends the subscription.
        """


@dataclass(frozen=True, slots=True)
class TokenFact:
    """What is known of a token; `digest` is `rpc.server.auth.token_digest(token)`, the token itself is not kept."""

    token_id: str
    digest: bytes
    scopes: frozenset[Scope]
    keys: frozenset[bytes] | None  # 33 bytes each; None: not bound
    create_key: bool = False
    expires_at: int | None = None  # ms


class TokenStore(Protocol):
    """The tokens in force, answered from memory. The cookie is one of them, with token id `rpc.caller.OWNER`."""

    def find(self, digest: bytes) -> TokenFact | None:
        """The token with that digest."""

    def get(self, token_id: str) -> TokenFact | None:
        """That token as it is now (its keys may have grown); None once it is revoked."""

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back on the event loop after any token changed; returns what ends it."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered to an idempotency key: the digest (32 bytes) of method and params, and the result as JSON."""

    digest: bytes
    result: bytes


class Once(Protocol):
    """What is stored of one call with its change: that it was made, and its answer where it has an idempotency key."""

    @property
    def wants_answer(self) -> bool:
        """False: the call has no key, and any answer will do."""

    def keep(self, transaction: Any, answer: Mapping[str, Any] | BaseModel) -> None:
        """Stores the answer inside the transaction of the change: there is no change without it, nor it without one."""


class KeyedOnce(Once, Protocol):
    """The same for a call with an idempotency key."""

    @property
    def kept(self) -> bytes | None:
        """The answer as JSON that is stored with the change; None: none yet."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What of a call goes on record. `through`: `http` or `websocket`; `named`: the ids in its params; `place`: the
    address and port of the caller, or the user and process at the other end of the unix socket; "" if unknown.
    """

    token_id: str
    method: str
    through: str
    named: Mapping[str, str]
    place: str = ""


class Recorder(Protocol):
    """Where calls go on record that change something or concern a secret."""

    def append(self, transaction: Any, facts: CallFacts) -> None:
        """Inside the transaction of the change."""

    async def note(self, facts: CallFacts) -> None:
        """A call whose change was stored elsewhere, or that stores nothing."""

    def refused(self, facts: CallFacts, reason: str, data: Mapping[str, Any]) -> None:
        """A call that was refused; soon after."""


class IdempotencyStore(Protocol):
    """Answers by (token, idempotency key), kept 24 h and across restarts."""

    def once(self, token_id: str, key: str, digest: bytes) -> KeyedOnce: ...
    async def find(self, token_id: str, key: str) -> StoredAnswer | None: ...
    async def save(self, token_id: str, key: str, answer: StoredAnswer) -> None: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the daemon from doing its job: a machine code, and what the owner should do.

    `until_ms`: when it ends by itself, if that is known.
    """

    reason: str
    remedy: str
    until_ms: int | None = None


class Health(Protocol):
    """Whether the program is alive and able to do its job; answered at once, from memory."""

    def live(self) -> Sequence[Problem]:
        """Empty when the process works; otherwise it should be restarted."""

    def ready(self) -> Sequence[Problem]:
        """Empty when the store is writable, keys are loaded and libp2p listens."""


class Metrics(Protocol):
    """The program's own measurements."""

    def text(self) -> str:
        """Prometheus text format, each line ended by a newline."""
