"""Joins the services of the program to the table of methods."""

from __future__ import annotations

from collections.abc import Collection

from rpc.errors import RpcError
from rpc.methods.table import METHODS
from rpc.ports import Handler


class IncompleteBackendError(RpcError):
    """A wiring mistake: a method has no handler, or two."""


def handlers_of(*services: object) -> dict[str, Handler]:
    """The handlers that these services have: each coroutine function named like a method in snake_case.

    Raises IncompleteBackendError when two services offer the same method.
    """
    found: dict[str, Handler] = {}
    for method in METHODS.values():
        offers = [getattr(service, method.attribute) for service in services if hasattr(service, method.attribute)]
        if len(offers) > 1:
            raise IncompleteBackendError(f"{method.name} is served by more than one service; leave one of them")
        if offers:
            found[method.name] = offers[0]
    return found


def require_complete(served: Collection[str]) -> None:
    """Raises IncompleteBackendError naming every method of the table that is not among them."""
    missing = [name for name in METHODS if name not in served]
    if missing:
        raise IncompleteBackendError(f"no service serves {', '.join(missing)}; give one that does")
