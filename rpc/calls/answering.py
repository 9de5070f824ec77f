"""One message answered within the limits: admitted, dispatched, counted out again."""

from __future__ import annotations

from rpc.calls.call import CallContext
from rpc.calls.dispatch import Dispatcher, Reply
from rpc.calls.limits import CallGate
from rpc.errors import ApiError


class Answering:
    """The same for HTTP and WebSocket."""

    def __init__(self, dispatcher: Dispatcher[CallContext], gate: CallGate) -> None:
        self._dispatcher = dispatcher
        self._gate = gate

    async def answer(self, body: bytes, message: CallContext) -> Reply:
        """The reply to a message; `refused` when the limits turned it away as a whole."""
        admitted = 0

        def admit(calls: int) -> ApiError | None:
            nonlocal admitted
            refusal = self._gate.admit(message.caller.token_id, calls)
            admitted = 0 if refusal is not None else calls
            return refusal

        try:
            return await self._dispatcher.answer(body, message, admit)
        finally:
            self._gate.done(message.caller.token_id, admitted)
