"""Asks the daemon of a data directory to stop: through its unix socket, or by a signal if nobody answers there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from daemon.errors import DaemonError
from daemon.host.datadir import Holder, holder_of
from daemon.host.lock_proof import proven_holder
from daemon.host.own_socket import ask_daemon

ANSWER_SECONDS = 5.0
GRACE_SECONDS = 1.0
LOOK_SECONDS = 0.05


class NotStopped(DaemonError):
    """The daemon was not reached, or has not ended in time."""

    reason = "not_stopped"


def stop_daemon(datadir: Path, environment: Mapping[str, str], within_s: float) -> bool:
    """Ask the daemon to stop and wait until it has released the directory; False if none uses it.

    Raises NotStopped, DatadirError.
    """
    holder = holder_of(datadir)
    if holder is None:
        return False
    if not (
        _ask(datadir, environment, holder)
        or _has_ended(datadir, holder, GRACE_SECONDS)  # it may be ending or starting right now
        or _ask(datadir, environment, holder)
    ):
        _signal(datadir, holder)
    if not _has_ended(datadir, holder, within_s):
        raise NotStopped(f"The daemon of {datadir} has not ended after {within_s:.0f} s: look at its log.")
    return True


def _has_ended(datadir: Path, holder: Holder, within_s: float) -> bool:
    """Whether the daemon releases the directory in time."""
    deadline = time.monotonic() + within_s
    while holder_of(datadir) == holder:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _ask(datadir: Path, environment: Mapping[str, str], holder: Holder) -> bool:
    """Whether the daemon that holds the lock was reached and is stopping."""
    answer = ask_daemon(datadir, environment, holder, "/stop", ANSWER_SECONDS)
    return answer is not None and answer.status == HTTPStatus.ACCEPTED


def _signal(datadir: Path, holder: Holder) -> None:
    """SIGTERM to the process that the kernel names as the holder; it is starting, or hangs. Raises NotStopped."""
    send = _sender(datadir)
    if send is None and holder_of(datadir) != holder:
        return
    if send is None:
        raise NotStopped(
            f"A daemon uses {datadir}, but nobody answers at its socket, and its process cannot be seen from here (it "
            f"calls itself {holder.pid}): stop it where it was started, in its container or as its user."
        )
    try:
        send()
    except PermissionError:
        raise NotStopped(f"The daemon of {datadir} runs as another user: stop it as that one.") from None
    except ProcessLookupError:
        return


def _sender(datadir: Path) -> Callable[[], None] | None:
    """A function that sends SIGTERM to the holder of the lock, even if its id is reused; None if none is proven."""
    pid = proven_holder(datadir)
    if pid is None:
        return None
    if not hasattr(os, "pidfd_open"):
        return lambda: os.kill(pid, signal.SIGTERM)
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return None
    if proven_holder(datadir) != pid:
        os.close(process)
        return None

    def send() -> None:
        try:
            signal.pidfd_send_signal(process, signal.SIGTERM)
        finally:
            os.close(process)

    return send
