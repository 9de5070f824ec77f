"""Writes lines to a file descriptor in a thread of its own, so that a slow or absent reader delays nobody.

    put -> bounded queue -> thread -> descriptor

A write to a stopped terminal, a pipe whose reader sleeps or a disk that hangs blocks, and must not block an event loop.
Lines that do not fit into the queue are dropped and counted; once it is written again, a line says how many.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

LIMIT_BYTES: Final = 2 * 1024 * 1024  # in memory while nobody reads: about ten thousand lines
BATCH_BYTES: Final = 64 * 1024
RECENT_S: Final = 60.0
GATHER_S: Final = 0.02  # how long the first line waits for others: to wake a thread for each costs more than the line


@dataclass(frozen=True, slots=True)
class OutletState:
    """`waiting_bytes` are queued or being written; `dropped` counts lines since the start, for want of room or because
    the descriptor failed. `stuck_s`: how long the write that is under way has lasted. `dropped_s`: how long ago the
    last line was dropped, None if none was. `failure`: why the last write failed, None if it did not.
    """

    waiting_bytes: int
    dropped: int
    stuck_s: float
    dropped_s: float | None
    failure: str | None

    @classmethod
    def of_none(cls) -> Self:
        """Where there is no outlet."""
        return cls(waiting_bytes=0, dropped=0, stuck_s=0.0, dropped_s=None, failure=None)

    @property
    def dropped_lately(self) -> bool:
        return self.dropped_s is not None and self.dropped_s < RECENT_S


@dataclass(frozen=True, slots=True)
class _Line:
    """One line; `tells` is how many dropped lines it reports, 0 for an ordinary line."""

    content: bytes
    tells: int = 0


class Outlet:
    """Lines on their way to `descriptor`. Safe from any thread; never blocks but in `flush` and `close`."""

    def __init__(self, descriptor: int, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._descriptor = descriptor
        self._limit_bytes = limit_bytes
        self._changed = threading.Condition()
        self._lines: deque[_Line] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._untold = 0
        self._dropped_at: float | None = None
        self._began: float | None = None
        self._failure: str | None = None
        self._closed = False
        self._idle = True  # the thread waits for a first line, and has to be woken
        self._flushing = 0  # how many wait for the queue to be written
        self._thread: threading.Thread | None = None
        self.on_drops: Callable[[int], bytes] = _drops_told

    def put(self, render: Callable[[], bytes]) -> bool:
        """Queue what `render` returns, line ends included; False, without rendering, if there is no room for more."""
        if self._waiting_bytes >= self._limit_bytes or self._closed:
            with self._changed:
                self._drop()
            return False
        line = _Line(render())
        with self._changed:
            self._tell_drops()
            self._queue(line)
        return True

    def flush(self, within_s: float | None) -> bool:
        """Wait until everything is written, None: for as long as it takes; False if that takes longer."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._waiting_bytes, within_s)
            finally:
                self._flushing -= 1

    def close(self, within_s: float | None) -> bool:
        """Write what is queued, within that time, and take nothing more. The rest is dropped: False.

        The thread may still hang in a write; it is a daemon thread and ends with the process.
        """
        done = self.flush(within_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        return done

    @property
    def state(self) -> OutletState:
        now, began, dropped_at = time.monotonic(), self._began, self._dropped_at
        return OutletState(
            waiting_bytes=self._waiting_bytes,
            dropped=self._dropped,
            stuck_s=0.0 if began is None else now - began,
            dropped_s=None if dropped_at is None else now - dropped_at,
            failure=self._failure,
        )

    def _queue(self, line: _Line) -> None:
        self._lines.append(line)
        self._waiting_bytes += len(line.content)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="outlet", daemon=True)
            self._thread.start()
        if self._idle:
            self._idle = False
            self._changed.notify_all()

    def _drop(self, line: _Line | None = None) -> None:
        self._untold += 1
        if line is not None and line.tells:
            self._untold += line.tells - 1  # it was counted when those were
            return
        self._dropped += 1
        self._dropped_at = time.monotonic()

    def _tell_drops(self) -> None:
        if self._untold:
            told, self._untold = _Line(self.on_drops(self._untold), self._untold), 0
            self._queue(told)

    def _work(self) -> None:
        while batch := self._next_batch():
            self._began = time.monotonic()
            lost, failure = _write_all(self._descriptor, batch)
            with self._changed:
                self._began, self._failure = None, failure
                self._waiting_bytes -= sum(len(line.content) for line in batch)
                for line in lost:
                    self._drop(line)
                if not lost and not self._lines and not self._closed:
                    self._tell_drops()
                self._changed.notify_all()

    def _next_batch(self) -> list[_Line]:
        """What is queued, up to BATCH_BYTES; empty when the outlet is closed."""
        with self._changed:
            self._idle = not self._lines
            self._changed.wait_for(lambda: self._lines or self._closed)
            self._changed.wait_for(lambda: self._flushing or self._closed, GATHER_S)
            batch: list[_Line] = []
            size = 0
            while self._lines and size < BATCH_BYTES and not self._closed:
                batch.append(self._lines.popleft())
                size += len(batch[-1].content)
            return batch


def write_within(descriptor: int, content: bytes, within_s: float) -> bool:
    """Write for at most about that time; False if it took longer or failed. For the last words of a process."""
    deadline = time.monotonic() + within_s
    rest = memoryview(content)
    while rest:
        left_s = deadline - time.monotonic()
        try:
            if left_s <= 0 or not _writable(descriptor, left_s):
                return False
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]  # so many bytes fit whenever poll says yes
        except BlockingIOError:
            continue
        except OSError:
            return False
    return True


def _write_all(descriptor: int, lines: Sequence[_Line]) -> tuple[Sequence[_Line], str | None]:
    """The lines that could not be written, and why."""
    rest = memoryview(b"".join(line.content for line in lines))
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody who shares the descriptor has set it so
            _writable(descriptor, 1.0)
        except OSError as error:
            return _last(lines, len(rest)), error.strerror or type(error).__name__
    return (), None


def _writable(descriptor: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(within_s * 1000))


def _last(lines: Sequence[_Line], unwritten_bytes: int) -> Sequence[_Line]:
    """The lines that so many bytes at the end belong to."""
    first = len(lines)
    while unwritten_bytes > 0:
        first -= 1
        unwritten_bytes -= len(lines[first].content)
    return lines[first:]


def _drops_told(count: int) -> bytes:
    return f"{count} lines were dropped here, because nobody read them in time\n".encode()
