"""Tokens: what a wallet may do, and with which keys. Only digests are stored; the answers come from memory.

The cookie is the token of the owner: made anew at each start, in a file that only the owner can read, never stored.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from config.locations import COOKIE_NAME
from daemon.access.errors import ExpiryInThePast, NoSuchToken
from daemon.clock import WallClock
from daemon.events import EventLog
from daemon.host.datadir import DatadirError, give_to_group, group_id
from daemon.host.private_file import write_private
from daemon.host.slow_disk import off_loop
from daemon.store import Store
from rpc.caller import OWNER, Caller, Scope, owner, scopes_of
from rpc.ports import TokenFact
from rpc.server.auth import MARK, token_digest


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What may be shown of a token. `scopes` as they were given, `keys` None when it is not bound. Times in ms."""

    token_id: str
    scopes: tuple[str, ...]
    keys: frozenset[bytes] | None
    create_key: bool
    label: str
    created_at: int
    expires_at: int | None


class Tokens:
    """The tokens in force; implements `rpc.ports.TokenStore`. Use it from the event loop.

    Changes emit `token:created` and `token:revoked`.
    """

    def __init__(self, *, store: Store, clock: WallClock, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._infos: dict[str, TokenInfo] = {}
        self._facts: dict[str, TokenFact] = {}
        self._by_digest: dict[bytes, str] = {}
        self._watchers: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Load the stored tokens; expired ones are refused, and removed by `forget_expired`."""
        for info, digest in self._store.read(_load):
            self._take(info, digest)

    async def make_cookie(self, datadir: Path, group: str | None = None) -> Path:
        """Write a new full-rights token to `<datadir>/.cookie`: 0600, or 0640 for the members of `group`.

        The former cookie is no longer valid. Raises DatadirError.
        """
        token = _new_token()
        path = datadir / COOKIE_NAME
        await off_loop(lambda: _write_cookie(path, token, group))
        self._drop(OWNER)
        digest = token_digest(token)
        self._facts[OWNER] = TokenFact(OWNER, digest, frozenset(Scope), keys=None, create_key=True)
        self._by_digest[digest] = OWNER
        self._changed()
        return path

    def find(self, digest: bytes) -> TokenFact | None:
        token_id = self._by_digest.get(digest)
        return None if token_id is None else self._facts[token_id]

    def get(self, token_id: str) -> TokenFact | None:
        return self._facts.get(token_id)

    def caller(self, token_id: str) -> Caller | None:
        """What that token may do now, the cookie's included; None once it is revoked or has expired."""
        if token_id == OWNER:
            return owner()
        fact = self.get(token_id)
        if fact is None or (fact.expires_at is not None and fact.expires_at <= self._clock.wall_ms()):
            return None
        return Caller(token_id, fact.scopes, fact.keys, fact.create_key)

    def label_of(self, token_id: str) -> str:
        """What its maker called it; empty for the cookie and for a token that has ended."""
        info = self._infos.get(token_id)
        return "" if info is None else info.label or ""

    def called(self, token_id: str) -> str:
        """Its name among approvals: `owner` for the cookie and the socket, its label, else its id."""
        return OWNER if token_id == OWNER else self.label_of(token_id) or token_id

    def watch(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._watchers.append(callback)

        def unwatch() -> None:
            if callback in self._watchers:
                self._watchers.remove(callback)

        return unwatch

    def listing(self) -> Sequence[TokenInfo]:
        """Tokens in force, oldest first; the cookie is not among them."""
        now_ms = self._clock.wall_ms()
        return [info for info in self._infos.values() if info.expires_at is None or info.expires_at > now_ms]

    async def create(
        self,
        scopes: Iterable[str],
        keys: Iterable[bytes] | None,
        *,
        create_key: bool,
        label: str,
        expires_at: int | None,
    ) -> tuple[str, str]:
        """A new token: its id, and the token itself, which is not stored and cannot be shown again.

        With `create_key` it is bound to `keys` and to the keys that it will create. Raises ExpiryInThePast, and what
        `rpc.caller.scopes_of` raises.
        """
        if expires_at is not None and expires_at <= self._clock.wall_ms():
            raise ExpiryInThePast
        given = tuple(dict.fromkeys(scopes))
        scopes_of(given)
        bound = frozenset(keys or ()) if keys is not None or create_key else None
        token = _new_token()
        info = TokenInfo(f"t{secrets.token_hex(6)}", given, bound, create_key, label, self._clock.wall_ms(), expires_at)
        digest = token_digest(token)

        def insert(conn: sqlite3.Connection) -> None:
            _insert(conn, info, digest)
            self._events.append(conn, "token:created", _told(info), keys=sorted(info.keys or ()))

        await self._store.write(insert)
        self._take(info, digest)
        self._events.publish()
        return info.token_id, token

    async def revoke(self, token_id: str, also: Callable[[sqlite3.Connection], None] = lambda conn: None) -> None:
        """End it at once; `also` runs in the same transaction. Raises NoSuchToken."""
        await self._end(token_id, "revoked", also)

    async def _end(
        self, token_id: str, reason: str, also: Callable[[sqlite3.Connection], None] = lambda conn: None
    ) -> None:
        if token_id not in self._infos:
            raise NoSuchToken

        def delete(conn: sqlite3.Connection) -> None:
            if conn.execute("DELETE FROM tokens WHERE token_id = ?", (token_id,)).rowcount:
                self._events.append(conn, "token:revoked", {"tokenId": token_id, "reason": reason})
            also(conn)

        await self._store.write(delete)
        self._drop(token_id)
        self._changed()
        self._events.publish()

    def store_binding(self, conn: sqlite3.Connection, token_id: str, pubkey: bytes) -> None:
        """Inside the write function that stores a key the token created; call `bind` before it."""
        if token_id in self._infos:
            conn.execute("INSERT INTO token_keys (token_id, pubkey) VALUES (?, ?)", (token_id, pubkey))

    def bind(self, token_id: str, pubkey: bytes) -> None:
        """From now on the token may use that key too.

        Call it before the key is stored: the token must see the event about the key, and the check who sees an event is
        made when it is published.
        """
        self._rebind(token_id, lambda keys: keys | {pubkey})

    def unbind(self, token_id: str, pubkey: bytes) -> None:
        """The key could not be stored after all."""
        self._rebind(token_id, lambda keys: keys - {pubkey})

    def _rebind(self, token_id: str, change: Callable[[frozenset[bytes]], frozenset[bytes]]) -> None:
        info = self._infos.get(token_id)
        if info is not None and info.keys is not None:
            self._take(replace(info, keys=change(info.keys)), self._facts[token_id].digest)

    async def forget_expired(self) -> None:
        """Remove what has expired from memory and store."""
        now_ms = self._clock.wall_ms()
        for info in tuple(self._infos.values()):
            if info.expires_at is not None and info.expires_at <= now_ms:
                with suppress(NoSuchToken):  # revoked at the same moment
                    await self._end(info.token_id, "expired")

    def _take(self, info: TokenInfo, digest: bytes) -> None:
        self._infos[info.token_id] = info
        self._facts[info.token_id] = TokenFact(
            info.token_id,
            digest,
            scopes_of(info.scopes, bound=info.keys is not None),
            info.keys,
            info.create_key,
            info.expires_at,
        )
        self._by_digest[digest] = info.token_id
        self._changed()

    def _drop(self, token_id: str) -> None:
        self._infos.pop(token_id, None)
        fact = self._facts.pop(token_id, None)
        if fact is not None:
            del self._by_digest[fact.digest]

    def _changed(self) -> None:
        for callback in tuple(self._watchers):
            callback()


def _write_cookie(path: Path, token: str, group: str | None) -> None:
    try:
        write_private(path, token)
        if group is not None:
            give_to_group(path, group_id(group))
            path.chmod(0o640)
    except OSError as error:
        raise DatadirError(f"The cookie {path} cannot be written ({error.strerror}).") from error


def _told(info: TokenInfo) -> dict[str, object]:
    told: dict[str, object] = {
        "tokenId": info.token_id,
        "scopes": list(info.scopes),
        "createKey": info.create_key,
        "label": info.label,
    }
    return told if info.expires_at is None else {**told, "expiresAt": info.expires_at}


def _new_token() -> str:
    return f"{MARK}{secrets.token_hex(32)}"


def stored_tokens(conn: sqlite3.Connection, now_ms: int) -> list[TokenInfo]:
    """The tokens of a database that are not expired, oldest first; of one that no daemon uses."""
    return [info for info, _ in _load(conn) if info.expires_at is None or info.expires_at > now_ms]


def _load(conn: sqlite3.Connection) -> list[tuple[TokenInfo, bytes]]:
    keys: dict[str, set[bytes]] = {}
    for token_id, pubkey in conn.execute("SELECT token_id, pubkey FROM token_keys"):
        keys.setdefault(token_id, set()).add(pubkey)
    rows = conn.execute(
        "SELECT token_id, digest, scopes, bound, create_key, label, created_at, expires_at FROM tokens "
        "ORDER BY created_at, token_id"
    )
    return [
        (
            TokenInfo(
                token_id,
                tuple(scopes.split()),
                frozenset(keys.get(token_id, ())) if bound else None,
                bool(create_key),
                label,
                created_at,
                expires_at,
            ),
            digest,
        )
        for token_id, digest, scopes, bound, create_key, label, created_at, expires_at in rows
    ]


def _insert(conn: sqlite3.Connection, info: TokenInfo, digest: bytes) -> None:
    conn.execute(
        "INSERT INTO tokens (token_id, digest, scopes, bound, create_key, label, created_at, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            info.token_id,
            digest,
            " ".join(info.scopes),
            info.keys is not None,
            info.create_key,
            info.label,
            info.created_at,
            info.expires_at,
        ),
    )
    rows = [(info.token_id, pubkey) for pubkey in info.keys or ()]
    conn.executemany("INSERT INTO token_keys (token_id, pubkey) VALUES (?, ?)", rows)
