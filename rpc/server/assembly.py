"""Every method of the table with the handler that serves it: the program's, or one of this package."""

from __future__ import annotations

from collections.abc import Collection

from rpc.calls.call import Call, Changes
from rpc.calls.pure import PureMethods
from rpc.calls.stats import Stats
from rpc.config import RpcConfig
from rpc.errors import RpcError
from rpc.events.methods import EventMethods
from rpc.handlers import description_handlers, pure_handlers, stream_handlers
from rpc.methods.table import METHODS
from rpc.ports import Guard, Handlers, SchemesOf
from rpc.schema.openrpc import Description


class IncompleteBackendError(RpcError):
    """A mistake in the wiring: a method has no handler."""


def calls_of(
    handlers: Handlers,
    guard: Guard,
    events: EventMethods,
    config: RpcConfig,
    schemes_of: SchemesOf,
    *,
    changes: Changes,
    stats: Stats,
) -> dict[str, Call]:
    """The calls of the API; raises IncompleteBackendError naming methods that nobody serves."""
    stream = stream_handlers(events)
    own = pure_handlers(PureMethods(config.network, schemes_of)) | description_handlers(Description(config.version))
    require_complete([*handlers, *own, *stream])
    return {
        **{name: Call(METHODS[name], each, changes, stats, takes_message=True) for name, each in stream.items()},
        **{name: Call(METHODS[name], each, changes, stats) for name, each in own.items()},
        **{name: Call(METHODS[name], each, changes, stats, guard=guard) for name, each in handlers.items()},
    }


def require_complete(served: Collection[str]) -> None:
    """Raises IncompleteBackendError naming every method of the table that is not among them."""
    missing = [name for name in METHODS if name not in served]
    if missing:
        raise IncompleteBackendError(f"no service serves {', '.join(missing)}; give one that does")
