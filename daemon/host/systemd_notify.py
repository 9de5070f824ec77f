"""Tells systemd the state of the daemon: ready, stopping, reloading, alive (sd_notify(3), sent by our own code)."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)


class Notifier:
    """Sends states to `$NOTIFY_SOCKET`; does nothing without one, that is, outside systemd."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address  # an abstract socket
        self._status = ""
        self.watchdog_ms = _watchdog_ms(environment)

    def ready(self, status: str) -> None:
        """The listeners are up; `status` is one line for `systemctl status`."""
        self._status = status
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        self._send("STOPPING=1\nSTATUS=Stopping")

    def reloading(self) -> None:
        """Settings are read again; call `reloaded` when it is done."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """Ready again, with the previous status line."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stuck(self, part: str) -> None:
        """Say in the status line that this part does not answer."""
        self._send(f"STATUS=Stuck: {part} does not answer")

    def recovered(self) -> None:
        """Every part answers again: restore the previous status line."""
        self._send(f"STATUS={self._status}")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # A service manager that cannot be reached is no reason to stop signing: its watchdog will act.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagrams:
            datagrams.setblocking(False)
            datagrams.sendto(state.encode(), self._address)


async def feed_watchdog(notifier: Notifier, proofs: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
    """Feed the watchdog for ever, as long as every proof of life answers in time. Returns if there is no watchdog.

    That this runs proves the event loop; `proofs` check the rest: an empty write by the store's writer, an answer of
    the libp2p thread. A part that does not answer is named in status and log, and systemd restarts the daemon when the
    period is over. The pause and the time allowed for the proofs are a third of the period each.
    """
    if notifier.watchdog_ms is None:
        return
    third_s = notifier.watchdog_ms / 3000
    stuck = None
    while True:
        silent = await _first_silent(proofs, third_s)
        if silent is None:
            notifier.alive()
        if silent != stuck:
            _tell_change(notifier, stuck, silent)
        stuck = silent
        await asyncio.sleep(third_s)


def _tell_change(notifier: Notifier, before: str | None, silent: str | None) -> None:
    if silent is None:
        notifier.recovered()
        log.info("it answers again", part=before)
    else:
        notifier.stuck(silent)
        log.error("a part of the daemon does not answer; the watchdog will end it", part=silent)


async def _first_silent(proofs: Mapping[str, Callable[[], Awaitable[object]]], within_s: float) -> str | None:
    for name, proof in proofs.items():
        asked = asyncio.ensure_future(proof())
        await asyncio.wait({asked}, timeout=within_s / len(proofs))
        if not asked.done():
            asked.cancel()  # not awaited: a stuck part may not react
            return name
        if asked.cancelled() or asked.exception() is not None:
            return name  # a proof that fails counts as no answer; its part logs why
    return None


def _watchdog_ms(environment: Mapping[str, str]) -> int | None:
    period, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not (period.isascii() and period.isdigit()) or int(period) < 1000 or (pid and pid != str(os.getpid())):
        return None
    return int(period) // 1000
