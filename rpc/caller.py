"""The caller: the scopes and keys of its token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rpc.errors import ApiError, unknown_key

OWNER = "owner"  # token id of the cookie and of the unix socket


class Scope(StrEnum):
    """What a token may do. All but `read` include it; `admin` includes everything, `webhook` unless bound to keys."""

    READ = "read"
    DISCOVER = "discover"
    SIGN = "sign"
    APPROVE = "approve"
    WEBHOOK = "webhook"
    ADMIN = "admin"


def needs_key_maker(what: str, scope: Scope) -> ApiError:
    """The refusal to create a key; a token that is bound to the keys it creates may do it too."""
    sentence = f"{what} a token with createKey: true, or one with scope {scope}; createToken makes one."
    return ApiError("forbidden", sentence, scope=scope.value, bound=True)


def needs_token(what: str, scope: Scope, *, bound: bool = True) -> ApiError:
    """The refusal of what this token cannot do. `what`: subject and verb; `bound`: a token bound to keys can do it."""
    if bound:
        sentence = f"{what} a token with scope {scope}; createToken makes one."
        return ApiError("forbidden", sentence, scope=scope.value)
    sentence = f"{what} the cookie, or a token with scope {scope} that createToken made without publicKeys or createKey"
    return ApiError("forbidden", f"{sentence}: it concerns the whole daemon.", scope=scope.value, bound=False)


_INCLUDES: dict[Scope, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.DISCOVER: frozenset({Scope.READ, Scope.DISCOVER}),
    Scope.SIGN: frozenset({Scope.READ, Scope.SIGN}),
    Scope.APPROVE: frozenset({Scope.READ, Scope.APPROVE}),
    Scope.WEBHOOK: frozenset({Scope.READ, Scope.WEBHOOK}),
    Scope.ADMIN: frozenset(Scope),
}


def scopes_of(names: Iterable[str], *, bound: bool = False) -> frozenset[Scope]:
    """The scopes of those names, with what each includes; raises ApiError `no_such_scope` for any other name.

    `bound`: the token is bound to keys. Its daemon then posts to addresses of its choice only where `webhook` says so.
    """
    names = tuple(names)
    granted: frozenset[Scope] = frozenset()
    for name in names:
        if name not in Scope.__members__.values():
            raise ApiError("no_such_scope", f"Scopes are {', '.join(Scope)}; use one or more of these.")
        granted |= _INCLUDES[Scope(name)]
    return granted - {Scope.WEBHOOK} if bound and Scope.WEBHOOK not in names else granted


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller.

    `scopes` already holds what each scope includes. `keys` are the public keys (33 bytes) the token is bound to, None
    when it may use every key. `create_key`: it may create and import keys, and is then bound to them.
    """

    token_id: str
    scopes: frozenset[Scope]
    keys: frozenset[bytes] | None
    create_key: bool

    @property
    def over_all(self) -> bool:
        """Whether it administers the whole daemon."""
        return self.keys is None and Scope.ADMIN in self.scopes

    def require_key(self, pubkey: bytes) -> None:
        """Raises ApiError `unknown_key` unless this caller may use that key."""
        if not self.sees(pubkey):
            raise unknown_key(pubkey)

    def sees(self, pubkey: bytes) -> bool:
        """Whether this caller may know of that own key."""
        return self.keys is None or pubkey in self.keys

    def sees_any(self, pubkeys: Iterable[bytes]) -> bool:
        """Whether something that concerns those own keys concerns this caller."""
        return self.keys is None or not self.keys.isdisjoint(pubkeys)


def owner() -> Caller:
    """The caller behind the unix socket and the cookie: every right, on every key."""
    return Caller(token_id=OWNER, scopes=frozenset(Scope), keys=None, create_key=True)
