"""Background tasks: they live as long as the part that starts them, and every failure is logged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger("musigd.tasks")

AGAIN_S = 1.0


class BackgroundTasks:
    """The tasks of one part of the daemon, named after it. Failures are logged; a lasting task is restarted."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many are running."""
        return len(self._tasks)

    def lasting(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run for ever; restarted a second after it fails or returns."""
        self._add(self._again_and_again(name, run), name)

    def once(self, name: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        """Run to the end. The task never raises."""
        task = self._add(self._logged(name, work), name)
        task.add_done_callback(lambda _: work.close())  # if the task was cancelled before it began
        return task

    async def finished(self) -> None:
        """Wait for all that are running now."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Cancel all and wait for them."""
        for task in list(self._tasks):
            task.cancel()
        await self.finished()

    def _add(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self._owner}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _again_and_again(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._logged(name, run())
            await asyncio.sleep(AGAIN_S)

    async def _logged(self, name: str, work: Awaitable[object]) -> None:
        try:
            await work
        except Exception as error:
            log.exception("a background task failed", owner=self._owner, task=name, error=type(error).__name__)
