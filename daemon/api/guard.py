"""Around every handler of the daemon: checks the scheme that a caller gives, and translates errors for clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from daemon.errors import NotFound, Refused
from daemon.keys.sealing import KdfMemoryError
from daemon.store import DatabaseGone, LockGone, StoreClosed, StoreFull
from p2p.errors import NetworkError, PeerUnreachable
from rpc.caller import Caller
from rpc.errors import ApiError, database_gone, lock_gone
from rpc.models.wire import OfScheme, Params


class Keystore(Protocol):
    """The part of `daemon.keys.keystore.Keystore` that is needed here."""

    def keys(self) -> Sequence[bytes]: ...

    def scheme_of(self, pubkey: bytes) -> str: ...


class Requests(Protocol):
    """The part of `daemon.signing.api.visible.Finder` that is needed here; both raise NotFound."""

    def scheme_of_request(self, caller: Caller, request: bytes) -> str: ...

    def scheme_of_session(self, caller: Caller, session: bytes) -> str: ...


class HandlerGuard:
    """Implements `rpc.ports.Guard`."""

    def __init__(self, keystore: Keystore, requests: Requests) -> None:
        self._keystore = keystore
        self._requests = requests

    def check(self, caller: Caller, params: Params) -> None:
        """Raises `scheme_mismatch` where another scheme is given than that of the key, request or session named."""
        if not isinstance(params, OfScheme) or params.scheme is None:
            return
        for name, actual in self._schemes(caller, params):
            if actual != params.scheme:
                raise ApiError(
                    "scheme_mismatch",
                    f"What {name} names is {actual}, and scheme is {params.scheme}: leave scheme out, or name another.",
                    scheme=actual,
                    errors=[{"path": "scheme", "message": f"is {actual} for this {name}"}],
                )

    def _schemes(self, caller: Caller, params: Any) -> Iterator[tuple[str, str]]:
        """(param, scheme of what it names), without what this caller may not see, which the handler refuses."""
        key, own = bytes.fromhex(getattr(params, "public_key", None) or ""), self._keystore.keys()
        if key in own and caller.sees(key):
            yield "publicKey", self._keystore.scheme_of(key)
        for attribute, name, scheme_of in (
            ("request_id", "requestId", self._requests.scheme_of_request),
            ("session_id", "sessionId", self._requests.scheme_of_session),
        ):
            named = getattr(params, attribute, None)
            if named is not None:
                try:
                    found = scheme_of(caller, bytes.fromhex(named))
                except NotFound:
                    continue
                yield name, found

    def refusal_of(self, error: Exception) -> ApiError | None:
        """What a client is told of an error of the daemon; None for a fault of the program."""
        return refusal_of(error)


def refusal_of(error: Exception) -> ApiError | None:
    """What a client is told of an error of the daemon; None for a fault of the program. The only translation."""
    match error:
        case StoreFull():
            return ApiError(
                "store_full",
                "The daemon's disk is full and nothing was changed: free some space, then try again.",
                retryAfterMs=60_000,
            )
        case LockGone():
            return lock_gone()
        case DatabaseGone():
            return database_gone()
        case StoreClosed():
            return ApiError("shutting_down", "The daemon is stopping; try again when it is back.")
        case KdfMemoryError():
            return ApiError("busy", str(error), retryAfterMs=10_000)
        case PeerUnreachable():
            return ApiError("peer_unreachable", str(error))
        case NetworkError():
            return ApiError("p2p_down", str(error))
        case Refused():
            return ApiError(error.reason, str(error), **error.facts)
        case _:
            return None
