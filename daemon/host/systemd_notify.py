"""Tells systemd how the daemon is: ready, stopping, reloading, and alive (sd_notify(3), by a datagram of our own)."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress


class Notifier:
    """Sends states to `$NOTIFY_SOCKET`; does nothing where there is none, that is, outside systemd."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address  # an abstract socket
        self.watchdog_ms = _watchdog_ms(environment)

    def ready(self, status: str) -> None:
        """The listeners are up; `status` is one line for `systemctl status`."""
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        self._send("STOPPING=1\nSTATUS=Stopping")

    def reloading(self) -> None:
        """Settings are read again; call `ready` when it is done."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # A service manager that cannot be reached is no reason to stop signing: it will act when it misses us.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagrams:
            datagrams.setblocking(False)
            datagrams.sendto(state.encode(), self._address)


async def feed_watchdog(notifier: Notifier, proofs: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
    """While every proof of life answers in time, feed the watchdog, twice per period; for ever. Returns without one.

    Running at all proves the event loop; `proofs` are the others: an empty write by the store's writer, an answer of
    the libp2p thread. Who does not answer is named in the status, and systemd restarts the daemon when the period is
    over.
    """
    if notifier.watchdog_ms is None:
        return
    pause_s = notifier.watchdog_ms / 2000
    while True:
        silent = await _first_silent(proofs, pause_s)
        if silent is None:
            notifier.alive()
        else:
            notifier.status(f"Stuck: {silent} does not answer")
        await asyncio.sleep(pause_s)


async def _first_silent(proofs: Mapping[str, Callable[[], Awaitable[object]]], within_s: float) -> str | None:
    for name, proof in proofs.items():
        try:
            async with asyncio.timeout(within_s / len(proofs)):
                await proof()
        except Exception:  # noqa: BLE001  (whatever fails is not alive; its owner logs why)
            return name
    return None


def _watchdog_ms(environment: Mapping[str, str]) -> int | None:
    period, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not period.isdigit() or int(period) < 1000 or (pid and pid != str(os.getpid())):
        return None
    return int(period) // 1000
