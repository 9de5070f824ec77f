"""An event log in memory that keeps the promises of `rpc.ports.EventSource`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    seq: int
    event: str
    time: int
    data: dict[str, Any]


class MemoryLog:
    def __init__(self, log_id: str = "log1") -> None:
        self.log_id = log_id
        self._rows: list[LoggedEvent] = []
        self._forgotten = 0
        self._callbacks: dict[object, Callable[[Sequence[LoggedEvent]], None]] = {}
        self._more_listeners = asyncio.Event()
        self._one_less = asyncio.Event()

    @property
    def next_seq(self) -> int:
        return self._forgotten + len(self._rows) + 1

    @property
    def oldest_seq(self) -> int:
        return self._forgotten + 1

    def read(self, from_seq: int, limit: int) -> Sequence[LoggedEvent]:
        first = max(0, from_seq - self._forgotten - 1)
        return self._rows[first : first + limit]

    def subscribe(self, callback: Callable[[Sequence[LoggedEvent]], None]) -> Callable[[], None]:
        place = object()
        self._callbacks[place] = callback
        self._more_listeners.set()

        def unsubscribe() -> None:
            self._callbacks.pop(place, None)
            self._one_less.set()

        return unsubscribe

    async def listened_to_by(self, count: int) -> None:
        """Returns when that many listen: the server itself is one, each waiting getEvents another."""
        async with asyncio.timeout(180):
            while len(self._callbacks) < count:
                self._more_listeners.clear()
                await self._more_listeners.wait()

    async def left_alone_by_all_but(self, count: int) -> None:
        """Returns when no more than that many listen."""
        async with asyncio.timeout(180):
            while len(self._callbacks) > count:
                self._one_less.clear()
                await self._one_less.wait()

    def append(self, *names: str, **data: Any) -> int:
        """Adds events of those names, tells everybody, returns the last seq."""
        burst = [LoggedEvent(self.next_seq + at, name, 1_760_000_000_000, data) for at, name in enumerate(names)]
        self._rows += burst
        for callback in list(self._callbacks.values()):
            callback(burst)
        return self.next_seq - 1

    def forget(self, up_to: int) -> None:
        """Retention: events up to that seq are gone."""
        del self._rows[: up_to - self._forgotten]
        self._forgotten = up_to
