"""Every method of the table with the handler that serves it: the program's, or one of this package."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rpc.calls.call import CallContext, CallMaker, MessageCall, Serve
from rpc.calls.pure import PureMethods
from rpc.config import RpcConfig
from rpc.errors import RpcError
from rpc.events.methods import EventMethods
from rpc.handlers import description_handlers, pure_handlers, stream_handlers
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.ports import Answer, Handler, Handlers, Once, SchemesOf
from rpc.schema.openrpc import Description


class IncompleteBackendError(RpcError):
    """A wiring mistake: a method has no handler."""


def calls_of(
    maker: CallMaker, handlers: Handlers, events: EventMethods, config: RpcConfig, schemes_of: SchemesOf
) -> dict[str, MessageCall]:
    """The calls of the API; raises IncompleteBackendError naming methods that nobody serves."""
    with_message = stream_handlers(events)
    for_callers: dict[str, Handler] = {
        **pure_handlers(PureMethods(config.network, schemes_of)),
        **description_handlers(Description(config.version)),
        **handlers,
    }
    require_complete([*for_callers, *with_message])
    calls = {name: maker.make(METHODS[name], _with_message(handler)) for name, handler in with_message.items()}
    calls |= {
        name: maker.make(METHODS[name], _for_caller(METHODS[name], handler)) for name, handler in for_callers.items()
    }
    return calls


def require_complete(served: Collection[str]) -> None:
    """Raises IncompleteBackendError naming every method of the table that is not among them."""
    missing = [name for name in METHODS if name not in served]
    if missing:
        raise IncompleteBackendError(f"no service serves {', '.join(missing)}; give one that does")


def _with_message(handler: Handler) -> Serve:
    async def serve(message: CallContext, params: Any, once: Once | None) -> Answer:
        return await handler(message, params)

    return serve


def _for_caller(method: Method, handler: Handler) -> Serve:
    async def serve(message: CallContext, params: Any, once: Once | None) -> Answer:
        if method.idempotent:
            return await handler(message.caller, params, once)
        return await handler(message.caller, params)

    return serve
