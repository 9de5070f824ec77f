"""What this process does on SIGTERM, SIGINT and SIGHUP, from its first line to its last.

    act                      when
    leave at once            while modules are loaded: nothing is open or written
    end with a clean-up      in a command that is soon done: the first one raises SystemExit, more are ignored
    keep                     while a data directory is claimed: whoever attends next is told
    attend                   on the event loop
    leave at once            when all is done: the exit code stands

Without this the system's default would apply until the event loop runs, a second after the start, and again at the end:
SIGHUP, which means "read the settings again", would kill. The handlers stay in place until the process ends; a program
that it starts gets the defaults.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:  # importing it takes 0.1 s, in which no signal would be handled
    import asyncio

HEARD: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
Act: TypeAlias = Callable[[signal.Signals], None]


class ProcessSignals:
    """The signal handlers of the process; the only instance is `SIGNALS`. Use it on the main thread."""

    def __init__(self) -> None:
        self._act: Act = self._keep
        self._kept: list[signal.Signals] = []
        self._listening = False
        self._pair: tuple[socket.socket, socket.socket] | None = None

    def listen(self, act: Act) -> None:
        """Install the handlers. `act` is called between two bytecodes of whatever runs."""
        self._act = act
        self._listening = True
        for number in HEARD:
            signal.signal(number, self._hear)

    def keep(self) -> None:
        """Keep signals for whoever attends next: what runs now must not be interrupted."""
        self._act = self._keep

    def attend(self, loop: asyncio.AbstractEventLoop, act: Act) -> None:
        """From now on call `act` on this loop, first for kept signals. Call `leave` before the loop ends."""
        self._act = lambda number: _call_on(loop, act, number)
        if self._listening:
            self._let_signals_wake(loop)
        kept, self._kept = self._kept, []
        for number in kept:
            self._act(number)

    def leave(self, code: int) -> None:
        """Everything is done: a stop signal now ends the process at once."""
        self._act = leaving_with(code)

    def _let_signals_wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Python runs handlers on the main thread only, which may sleep when another thread gets the signal."""
        reader, writer = self._pair = socket.socketpair()  # referenced: the interpreter writes there
        reader.setblocking(False)
        writer.setblocking(False)
        loop.add_reader(reader, reader.recv, 4096)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._act(signal.Signals(number))

    def _keep(self, number: signal.Signals) -> None:
        self._kept.append(number)


SIGNALS: Final = ProcessSignals()


def leaving_with(code: int) -> Act:
    """Ends the process at once with this exit code, on SIGTERM and SIGINT; SIGHUP is kept for who attends."""

    def act(number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            SIGNALS._keep(number)
        else:
            os._exit(code)

    return act


def leave_as_interrupted(number: signal.Signals) -> None:
    """Ends the process at once, as a shell says of one that Ctrl-C has ended."""
    os._exit(128 + signal.SIGINT)


def end_with_clean_up(number: signal.Signals) -> None:
    """Raises SystemExit where the program is, so that it removes what it has begun; once."""
    SIGNALS.keep()
    raise SystemExit(128 + number)


def _call_on(loop: asyncio.AbstractEventLoop, act: Act, number: signal.Signals) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act, number)
