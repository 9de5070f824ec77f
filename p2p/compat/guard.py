"""Background tasks of a libp2p service whose exceptions do not stop the host.

py-libp2p runs every task of a service in one nursery: the first exception in any of them, often caused by a peer's
bytes, cancels the service and with it the host. Here an exception is passed to `on_fault`; the others continue. Tasks
that are meant to run for ever are restarted. `BaseException` (cancellation above all) passes untouched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from libp2p.io.exceptions import IOException
from libp2p.network.connection.exceptions import RawConnError
from libp2p.network.exceptions import SwarmException
from libp2p.protocol_muxer.exceptions import MultiselectError
from libp2p.stream_muxer.exceptions import MuxedConnError, MuxedStreamError

RESTART_PAUSE_S = 1.0
AsyncFn = Callable[..., Awaitable[Any]]
OnFault = Callable[[AsyncFn, Exception], Awaitable[None]]
LOST = (  # what says no more than that a connection or a stream has ended
    IOException,
    RawConnError,
    MuxedStreamError,
    MuxedConnError,
    MultiselectError,
    SwarmException,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
)


class GuardedTasks:
    """Replaces the manager of a service; only the starting of tasks differs."""

    def __init__(self, manager: Any, on_fault: OnFault) -> None:
        self._manager = manager
        self._on_fault = on_fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def run_task(self, fn: AsyncFn, *args: Any, daemon: bool = False, name: str | None = None) -> None:
        """Start a task. The library searches all tasks for the parent of each new one; this does not."""
        run = self._for_ever if daemon else self._once
        self._nursery().start_soon(run, fn, args, name=name or getattr(fn, "__qualname__", repr(fn)))

    def run_daemon_task(self, fn: AsyncFn, *args: Any, name: str | None = None) -> None:
        """Start a task that is restarted when it fails."""
        self.run_task(fn, *args, daemon=True, name=name)

    def _nursery(self) -> trio.Nursery:
        nursery: trio.Nursery | None = self._manager._task_nursery
        if nursery is None or not self._manager.is_running:
            raise RuntimeError("the service is not running")
        return nursery

    async def _once(self, fn: AsyncFn, args: tuple[Any, ...]) -> None:
        try:
            await fn(*args)
        except Exception as error:  # noqa: BLE001 - the guard's purpose: whatever a peer provokes ends here
            await self._on_fault(fn, error)

    async def _for_ever(self, fn: AsyncFn, args: tuple[Any, ...]) -> None:
        while True:
            try:
                await fn(*args)
            except Exception as error:  # noqa: BLE001 - as above
                await self._on_fault(fn, error)
            await trio.sleep(RESTART_PAUSE_S)
