"""Holds a caller to the scheme that it gives where the scheme follows from a key, a request or a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from rpc.caller import Caller
from rpc.errors import ApiError
from rpc.methods.table import METHODS
from rpc.models.wire import OfScheme
from rpc.ports import Answer, Handler, Handlers


class Keystore(Protocol):
    """The part of `daemon.keys.keystore.Keystore` that is needed here."""

    def keys(self) -> Sequence[bytes]: ...

    def scheme_of(self, pubkey: bytes) -> str: ...


class Requests(Protocol):
    """The part of `daemon.signing.api.visible.Finder` that is needed here; both raise ApiError `not_found`."""

    def scheme_of_request(self, caller: Caller, request: bytes) -> str: ...

    def scheme_of_session(self, caller: Caller, session: bytes) -> str: ...


def held_to_scheme(handlers: Handlers, keystore: Keystore, requests: Requests) -> dict[str, Handler]:
    """The same handlers; those whose params may name a scheme raise `scheme_mismatch` for another than the true one."""

    def require(caller: Caller, params: OfScheme) -> None:
        for name, actual in _schemes(caller, params, keystore, requests):
            if actual != params.scheme:
                raise ApiError(
                    "scheme_mismatch",
                    f"What {name} names is {actual}, and scheme is {params.scheme}: leave scheme out, or name another.",
                    scheme=actual,
                    errors=[{"path": "scheme", "message": f"is {actual} for this {name}"}],
                )

    held = dict(handlers)
    for name, handler in handlers.items():
        if issubclass(METHODS[name].params, OfScheme):
            held[name] = _held(handler, require)
    return held


def _held(handler: Handler, require: Callable[[Caller, OfScheme], None]) -> Handler:
    async def held(caller: Caller, params: Any, *once: Any) -> Answer:
        if params.scheme is not None:
            require(caller, params)
        return await handler(caller, params, *once)

    return held


def _schemes(caller: Caller, params: Any, keystore: Keystore, requests: Requests) -> Iterator[tuple[str, str]]:
    """(param, scheme of what it names); nothing for what is not here for this caller, which the handler refuses."""
    key, own = bytes.fromhex(getattr(params, "public_key", None) or ""), keystore.keys()
    if key in own and caller.sees(key):
        yield "publicKey", keystore.scheme_of(key)
    for attribute, name, scheme_of in (
        ("request_id", "requestId", requests.scheme_of_request),
        ("session_id", "sessionId", requests.scheme_of_session),
    ):
        named = getattr(params, attribute, None)
        if named is not None:
            try:
                found = scheme_of(caller, bytes.fromhex(named))
            except ApiError:
                continue
            yield name, found
