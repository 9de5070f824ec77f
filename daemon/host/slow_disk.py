"""Reads and writes of small files away from the event loop: a disk or a network file system may hang for minutes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def off_loop(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own; returns or raises what it does.

    Not in one of the event loop's workers: the loop waits for those when it ends, and one that hangs on a pipe or a
    lost file system would keep the daemon from stopping. This thread is abandoned.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return  # the waiting task was cancelled
        if error is None:
            done.set_result(result)  # type: ignore[arg-type] # it is what `work` returned
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - raised where `off_loop` is awaited
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="slow disk", daemon=True).start()
    return await done
