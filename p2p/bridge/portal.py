"""The only connection between asyncio (the program) and trio (libp2p), which runs in a thread of its own.

    asyncio                                trio
    call(async_fn, *args)   ------------>  a task; cancelling the caller cancels it and waits for it
    post(fn, *args)         ------------>  fn, in order; one wake-up per turn of the asyncio loop
    callback([item, ...])   <------------  emit(callback, item), in order; one wake-up per burst

Results of calls travel in the same queue as emitted items, so whoever awaits a call has seen what it caused.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import trio

from p2p.errors import NetworkError, P2PError

T = TypeVar("T")
log = logging.getLogger(__name__)
STOP_S = 3.0
STUCK_S = 4.0  # more than a busy machine needs to cancel everything
Main = Callable[["Portal"], Awaitable[None]]


def down() -> NetworkError:
    """The error of a call while trio is not running."""
    return NetworkError("p2p_down", "the libp2p side is down and is being restarted: try again in a moment")


def root_cause(error: BaseException | None) -> BaseException:
    """The most informative exception inside nested groups: an error of this package before any other."""
    while isinstance(error, BaseExceptionGroup):
        known = error.subgroup(P2PError)
        error = (known or error).exceptions[0]
    return error or down()


class _Call(Generic[T]):
    """A call in progress: the asyncio side waits for `done`, the trio side runs it in `scope`."""

    def __init__(self, fn: Callable[..., Awaitable[T]], args: tuple[Any, ...], done: asyncio.Future[T]) -> None:
        self.fn = fn
        self.args = args
        self.done = done
        self.scope = trio.CancelScope()


class Portal:
    """One run of trio. `dead` resolves, to the exception or None, when it has ended; a portal is not started twice.

    `main` may set `at_end`, which is called when trio and its thread are gone, however they ended.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.dead: asyncio.Future[BaseException | None] = self._loop.create_future()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._calls: set[_Call[Any]] = set()
        self._inward: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._inward_planned = False
        self._outward: deque[tuple[Callable[[list[Any]], None], Any]] = deque()
        self._outward_woken = False
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None
        self._over = False
        self.at_end: Callable[[], None] = lambda: None
        self.stopping = trio.Event()
        self._thread: threading.Thread | None = None

    # The asyncio side.

    async def start(self, main: Main) -> None:
        """Run `main(portal)` in trio; return when it calls `ready`, raise what it raises before that."""
        self._thread = threading.Thread(target=self._run, args=(main,), name="libp2p", daemon=True)
        self._thread.start()
        either: set[asyncio.Future[Any]] = {self._ready, self.dead}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        if not self._ready.done():
            self._thread.join()
            raise root_cause(self.dead.result())

    @property
    def alive(self) -> bool:
        """True between `ready` and the end of trio."""
        return self._ready.done() and not self.dead.done()

    async def call(self, fn: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run `fn(*args)` in trio. Raises what it raises, or NetworkError `p2p_down`."""
        if not self.alive:
            raise down()
        call = _Call(fn, args, self._loop.create_future())
        self._calls.add(call)
        self.post(self._begin, call)
        try:
            return await asyncio.shield(call.done)
        except asyncio.CancelledError:
            self.post(call.scope.cancel)
            while not call.done.done():
                await asyncio.wait({call.done})
            raise
        finally:
            self._calls.discard(call)
            if call.done.done() and not call.done.cancelled():
                call.done.exception()  # marks it as seen

    def post(self, fn: Callable[..., object], *args: Any) -> None:
        """Run `fn(*args)` in trio soon. Without effect when trio has ended."""
        self._inward.append((fn, args))
        if not self._inward_planned:
            self._inward_planned = True
            self._loop.call_soon(self._wake_trio)

    def _wake_trio(self) -> None:
        self._inward_planned = False
        if self.dead.done():
            self._inward.clear()
        if self._token is None or self.dead.done():
            return  # too late, or so early that trio will look by itself
        try:
            self._token.run_sync_soon(self._drain_inward)
        except trio.RunFinishedError:
            self._inward.clear()

    async def stop(self) -> None:
        """Set `stopping`, and cancel what is left after three seconds; returns when trio and its thread are gone.

        Raises NetworkError `stuck` if the thread does not react: it is abandoned, and its callers get an error.
        """
        if self._thread is None:
            return
        self.post(self._stop)
        await asyncio.wait({self.dead}, timeout=STOP_S + STUCK_S)
        if not self.dead.done():
            self._end(None)
            raise NetworkError("stuck", "the libp2p thread does not answer and was left behind")
        self._thread.join()

    def _drain_outward(self) -> None:
        self._outward_woken = False
        while self._outward:
            callback, item = self._outward.popleft()
            batch = [item]
            while self._outward and self._outward[0][0] == callback:
                batch.append(self._outward.popleft()[1])
            try:
                callback(batch)
            except Exception:
                log.exception("a callback of the libp2p side failed; its items are lost")

    def _ended(self, error: BaseException | None) -> None:
        if self._thread is not None:
            self._thread.join()
        self.at_end()
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self._drain_outward()
        if not self.dead.done():
            self.dead.set_result(error)
        for call in list(self._calls):
            if not call.done.done():
                call.done.set_exception(down())

    # The trio side.

    def ready(self) -> None:
        """Called by `main` when it is up: `start` returns."""
        self.emit(self._mark_ready, None)

    def emit(self, callback: Callable[[list[Any]], None], item: Any) -> None:
        """Hand `item` to asyncio: `callback` gets it in a list with the items that follow for the same callback."""
        self._outward.append((callback, item))
        if not self._outward_woken:
            self._outward_woken = True
            self._loop.call_soon_threadsafe(self._drain_outward)

    @property
    def backlog(self) -> int:
        """How many items were handed over and not taken yet."""
        return len(self._outward)

    def spawn(self, fn: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task in the nursery around `main`; its exception ends trio."""
        assert self._nursery is not None
        self._nursery.start_soon(fn, *args)

    def _mark_ready(self, _: list[None]) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _run(self, main: Main) -> None:
        error: BaseException | None = None
        try:
            trio.run(self._root, main)
        except BaseException as caught:  # noqa: BLE001 - whatever ends trio is reported to the asyncio side
            error = caught
        try:
            self._loop.call_soon_threadsafe(self._ended, error)
        except RuntimeError:
            log.warning("the asyncio loop was closed before the libp2p side had stopped")

    async def _root(self, main: Main) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._drain_inward()
            await main(self)
            self._over = True
            nursery.cancel_scope.cancel()

    def _stop(self) -> None:
        self.stopping.set()
        self.spawn(self._cancel_late)

    async def _cancel_late(self) -> None:
        await trio.sleep(STOP_S)
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()

    def _drain_inward(self) -> None:
        while self._inward:
            fn, args = self._inward.popleft()
            if self._over:
                continue  # calls among them end when trio has ended
            try:
                fn(*args)
            except Exception:
                log.exception("a call into the libp2p side failed")

    def _begin(self, call: _Call[Any]) -> None:
        self.spawn(self._perform, call)

    async def _perform(self, call: _Call[Any]) -> None:
        try:
            with call.scope:
                self.emit(self._settle, (call, await call.fn(*call.args), None))
            if call.scope.cancelled_caught:
                self.emit(self._settle, (call, None, down()))
        except Exception as error:  # noqa: BLE001 - raised again at the caller
            self.emit(self._settle, (call, None, error))

    def _settle(self, settled: list[tuple[_Call[Any], Any, Exception | None]]) -> None:
        for call, result, error in settled:
            if call.done.done():
                continue
            if error is None:
                call.done.set_result(result)
            else:
                call.done.set_exception(error)
