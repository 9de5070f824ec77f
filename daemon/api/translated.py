"""Turns what the store and the key derivation refuse into answers that a client can act on."""

from __future__ import annotations

from typing import Any

from daemon.keys.sealing import KdfMemoryError
from daemon.store import StoreClosed, StoreFull
from rpc.errors import ApiError
from rpc.ports import Answer, Handler, Handlers


def translated(handlers: Handlers) -> dict[str, Handler]:
    """The same handlers; StoreFull, StoreClosed and KdfMemoryError leave them as ApiErrors. Others stay as they are."""
    return {name: _guarded(handler) for name, handler in handlers.items()}


def _guarded(handler: Handler) -> Handler:
    async def guarded(*given: Any) -> Answer:
        try:
            return await handler(*given)
        except StoreFull as error:
            raise ApiError(
                "store_full",
                "The daemon's disk is full and nothing was changed: free some space, then try again.",
                retryAfterMs=60_000,
            ) from error
        except StoreClosed as error:
            raise ApiError("shutting_down", "The daemon is stopping; try again when it is back.") from error
        except KdfMemoryError as error:
            raise ApiError("busy", str(error), retryAfterMs=10_000) from error

    return guarded
