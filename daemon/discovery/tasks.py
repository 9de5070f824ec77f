"""Tasks that run for as long as the service does, and short ones on the side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger("musigd.discovery")

AGAIN_S = 1.0


class Tasks:
    """Ends with `stop`. What fails is logged; a lasting task is begun again after a pause."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def lasting(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run for ever."""
        self._add(self._again_and_again(name, run), name)

    def once(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run to the end."""
        task = self._add(self._logged(name, work), name)
        task.add_done_callback(lambda _: work.close())  # where the task was cancelled before it began

    async def stop(self) -> None:
        """Cancel all and wait for them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _add(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"musigd discovery {name}")
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
            log.exception("a task of discovery failed", task=name, error=type(error).__name__)
