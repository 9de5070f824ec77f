"""Follows the event log for many WebSockets at once.

A subscription is first behind, then live. Behind: a task of its own reads the log page by page, as fast as its reader
takes it. Live: each burst of new events is turned into frames once and written to all. The step from behind to live has
no gap, because reading the last page and going live happen without giving up the event loop.
A live reader that does not keep up is closed with 1013 and resumes from where it was: nothing is silently dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from rpc.caller import Caller
from rpc.events.filter import Selection
from rpc.events.frames import text_frame
from rpc.events.resume import Start, event_json, gap_json, progress_json
from rpc.ports import EventSource, LoggedEvent

PAGE = 200

_log = structlog.get_logger("rpc")


class Reader(Protocol):
    """A connection that can be written to."""

    def push(self, frame: bytes) -> None:
        """Writes now; a reader that is too far behind is closed instead."""

    async def send(self, payload: bytes) -> None:
        """Writes one text message and waits while the connection is full; ConnectionError once it is closed."""

    @property
    def closed(self) -> bool: ...


class Subscription:
    """One subscription of one connection. `position` is the seq of the next event to look at."""

    def __init__(self, subscription_id: str, reader: Reader, selection: Selection, start: Start) -> None:
        self.id = subscription_id
        self.reader = reader
        self.selection = selection
        self.position = start.seq
        self.gap = start.gap
        self.idle = True
        self.ended = False
        self.task: asyncio.Task[None] | None = None
        self._head = (
            b'{"jsonrpc":"2.0","method":"subscription","params":{"subscription":"'
            + subscription_id.encode()
            + b'","result":'
        )

    def message(self, result: bytes) -> bytes:
        """The notification around an event that is already JSON."""
        return self._head + result + b"}}"


class Hub:
    """All subscriptions. Everything runs on one event loop."""

    def __init__(self, events: EventSource, now_ms: Callable[[], int], progress_s: float) -> None:
        self._events = events
        self._now_ms = now_ms
        self._progress_s = progress_s
        self._live: dict[Subscription, None] = {}
        self._behind: set[Subscription] = set()
        self._unsubscribe: Callable[[], None] | None = None
        self._ticker: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._live) + len(self._behind)

    def start(self) -> None:
        """Starts to listen to the log."""
        self._unsubscribe = self._events.subscribe(self._on_events)
        self._ticker = asyncio.ensure_future(self._tell_progress())

    async def stop(self) -> None:
        """Ends every subscription silently; their owner closes the connections."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        tasks = [task for task in (self._ticker, *(each.task for each in self._behind)) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._live.clear()
        self._behind.clear()

    def add(self, subscription: Subscription) -> None:
        """Starts to send; call it when the reply to `subscribe` is on its way."""
        if subscription.ended or subscription.reader.closed:
            return
        if subscription.gap is None and subscription.position == self._events.next_seq:
            self._live[subscription] = None
            return
        self._behind.add(subscription)
        subscription.task = asyncio.ensure_future(self._catch_up(subscription))

    def remove(self, subscription: Subscription) -> None:
        """Stops a subscription; safe to repeat."""
        subscription.ended = True
        self._live.pop(subscription, None)
        self._behind.discard(subscription)
        if subscription.task is not None:
            subscription.task.cancel()

    def refresh(self, subscription: Subscription, caller: Caller) -> None:
        """The caller's keys have changed; events already passed are not sent again."""
        subscription.selection = subscription.selection.for_caller(caller)

    async def _catch_up(self, subscription: Subscription) -> None:
        reader = subscription.reader
        try:
            if subscription.gap is not None:
                await reader.send(subscription.message(gap_json(subscription.gap, self._now_ms())))
            while page := self._events.read(subscription.position, PAGE):
                for event in page:
                    if subscription.selection.takes(event):
                        await reader.send(subscription.message(event_json(subscription.selection.shown(event))))
                subscription.position = page[-1].seq + 1
                await asyncio.sleep(0)
        except ConnectionError:
            self._behind.discard(subscription)
            return
        self._behind.discard(subscription)
        subscription.task = None
        if not reader.closed:
            self._live[subscription] = None

    def _on_events(self, burst: Sequence[LoggedEvent]) -> None:
        bodies: dict[int, bytes] = {}
        frames: dict[tuple[int, str], bytes] = {}

        def frame_of(event: LoggedEvent, subscription: Subscription) -> bytes:
            shown = subscription.selection.shown(event)
            if shown is not event:  # for this reader only: the cached frame below goes to others
                return text_frame(subscription.message(event_json(shown)))
            place = (event.seq, subscription.id)
            frame = frames.get(place)
            if frame is None:
                body = bodies.get(event.seq) or bodies.setdefault(event.seq, event_json(event))
                frame = frames[place] = text_frame(subscription.message(body))
            return frame

        for subscription in list(self._live):
            selection, position = subscription.selection, subscription.position
            parts = [
                frame_of(event, subscription) for event in burst if event.seq >= position and selection.takes(event)
            ]
            subscription.position = max(position, burst[-1].seq + 1)
            if parts:
                subscription.idle = False
                subscription.reader.push(parts[0] if len(parts) == 1 else b"".join(parts))

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(self._progress_s)
            for subscription in list(self._live):
                if subscription.idle:
                    told = subscription.message(progress_json(subscription.position, self._now_ms()))
                    subscription.reader.push(text_frame(told))
                subscription.idle = True
