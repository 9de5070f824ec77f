"""`subscribe`, `unsubscribe` and `getEvents`: the same log, pushed or pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson

from rpc import answers
from rpc.caller import Caller
from rpc.calls.call import CallContext
from rpc.errors import not_found
from rpc.events.filter import Selection
from rpc.events.resume import start_of
from rpc.events.subscriptions import Hub, Subscription
from rpc.models.events import GetEvents, Subscribe, Subscribed, Unsubscribe, Unsubscribed
from rpc.ports import EventSource, Followed, LoggedEvent

_MAX_LOOKED_AT = 20_000  # events that one getEvents reads; with a narrow filter the caller asks again
_PAGE = 500
_PAGE_BYTES = 1024 * 1024  # a page ends after the event that exceeds this


class EventMethods:
    """The methods of the event stream."""

    def __init__(
        self,
        events: EventSource,
        followed: Followed,
        hub: Hub,
        stopping: asyncio.Event,
        as_of_now: Callable[[Caller], Caller],
    ) -> None:
        """`as_of_now`: a caller with the keys its token has by now; raises `unauthenticated` once it has ended."""
        self._as_of_now = as_of_now
        self._events = events
        self._followed = followed
        self._hub = hub
        self._stopping = stopping

    async def subscribe(self, message: CallContext, params: Subscribe) -> Subscribed:
        """Answers first; the first notification is sent after the answer."""
        start = start_of(self._events, params.from_seq, params.log_id)
        selection = Selection(message.caller, self._followed, params.events, params.filter)
        subscription = message.socket.new_subscription(selection, start)
        message.after_reply.append(lambda: self._hub.add(subscription))
        return Subscribed(subscription=subscription.id, next_seq=start.seq, log_id=self._events.log_id)

    async def unsubscribe(self, message: CallContext, params: Unsubscribe) -> Unsubscribed:
        """Raises `not_found` for an id that this connection does not have."""
        subscription: Subscription | None = message.socket.subscriptions.pop(params.subscription, None)
        if subscription is None:
            raise not_found("subscription on this connection")
        self._hub.remove(subscription)
        return Unsubscribed(True)

    async def get_events(self, message: CallContext, params: GetEvents) -> answers.EventPage:
        """A page of events; waits for the first one up to `waitMs`."""
        start = start_of(self._events, params.from_seq, params.log_id)
        selection = Selection(message.caller, self._followed, params.events, params.filter)
        deadline = asyncio.get_running_loop().time() + params.wait_ms / 1000
        found, position = await self._look(selection, start.seq, params.limit)
        while not found and start.gap is None and await self._more_after(position, deadline):
            selection = selection.for_caller(self._as_of_now(message.caller))
            found, position = await self._look(selection, position, params.limit)
        page: answers.EventPage = {"events": found, "nextSeq": position, "logId": self._events.log_id}
        if start.gap is not None:
            page["gap"] = {"from": start.gap[0], "to": start.gap[1]}
        return page

    async def _look(self, selection: Selection, position: int, limit: int) -> tuple[list[answers.StoredEvent], int]:
        found: list[answers.StoredEvent] = []
        end, size = position + _MAX_LOOKED_AT, 0
        while position < end and (page := self._events.read(position, _PAGE)):
            for event in page:
                position = event.seq + 1
                if selection.takes(event):
                    found.append(_shown(selection.shown(event)))
                    size += len(orjson.dumps(event.data))
                    if len(found) == limit or size > _PAGE_BYTES:
                        return found, position
            await asyncio.sleep(0)
        return found, position

    async def _more_after(self, position: int, deadline: float) -> bool:
        """Waits until there is an event at `position` or later; False at the deadline or when the server stops."""
        news = asyncio.Event()
        stop_listening = self._events.subscribe(lambda burst: news.set())
        try:
            if self._events.next_seq > position:
                return True
            return await _first_of(news, self._stopping, deadline)
        finally:
            stop_listening()


async def _first_of(news: asyncio.Event, stopping: asyncio.Event, deadline: float) -> bool:
    left = deadline - asyncio.get_running_loop().time()
    if left <= 0:
        return False
    waits = [asyncio.ensure_future(event.wait()) for event in (news, stopping)]
    try:
        await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return news.is_set() and not stopping.is_set()


def _shown(event: LoggedEvent) -> answers.StoredEvent:
    return {"seq": event.seq, "event": event.event, "time": event.time, "data": event.data}
