"""The client of musigd: typed, asynchronous (`Client`) and for scripts (`SyncClient`).

Names load when they are first used, so that a script loads only what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musigd_client.client import Client
    from musigd_client.errors import CallFailed, ClientError, NotAuthorised, Unreachable
    from musigd_client.followed import HeardEvent, RequestProgress
    from musigd_client.sync.client import SyncClient
    from musigd_client.texts import text_message

__all__ = [
    "CallFailed",
    "Client",
    "ClientError",
    "HeardEvent",
    "NotAuthorised",
    "RequestProgress",
    "SyncClient",
    "Unreachable",
    "text_message",
]

_HOMES = {
    "CallFailed": "errors",
    "Client": "client",
    "ClientError": "errors",
    "HeardEvent": "followed",
    "NotAuthorised": "errors",
    "RequestProgress": "followed",
    "SyncClient": "sync.client",
    "Unreachable": "errors",
    "text_message": "texts",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"musigd_client.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
