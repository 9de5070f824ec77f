"""What systemd hears, on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.host.systemd_notify import Notifier, feed_watchdog


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        yield listening


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_ready_reloading_and_stopping_are_told(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager))
    notifier.ready("http://127.0.0.1:8327")
    assert manager.recv(4096) == b"READY=1\nSTATUS=http://127.0.0.1:8327"
    notifier.reloading()
    assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    notifier.stopping()
    assert manager.recv(4096).startswith(b"STOPPING=1")


def test_an_abstract_socket_is_understood() -> None:
    name = f"@musigd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name[1:])
        listening.settimeout(60)
        Notifier({"NOTIFY_SOCKET": name}).alive()
        assert listening.recv(4096) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    Notifier({}).ready("")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready("")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_where_it_says_so(variables: dict[str, str], expected: int | None) -> None:
    assert Notifier(variables).watchdog_ms == expected


async def heard(manager: socket.socket) -> bytes:
    return await asyncio.to_thread(manager.recv, 4096)


async def test_the_watchdog_is_fed_only_while_everything_answers(manager: socket.socket) -> None:
    stuck = asyncio.Event()

    async def works() -> None:
        pass

    async def hangs() -> None:
        if stuck.is_set():
            await asyncio.Event().wait()

    async def fails() -> None:
        raise OSError

    notifier = Notifier(environment(manager, WATCHDOG_USEC="20000"))
    feeding = asyncio.create_task(feed_watchdog(notifier, {"store": works, "libp2p": hangs}))
    assert await heard(manager) == b"WATCHDOG=1"
    stuck.set()
    while b"WATCHDOG" in (said := await heard(manager)):
        pass
    assert said == b"STATUS=Stuck: libp2p does not answer"
    feeding.cancel()
    feeding = asyncio.create_task(feed_watchdog(notifier, {"store": fails}))
    while b"store" not in await heard(manager):
        pass
    feeding.cancel()


async def test_without_a_watchdog_nothing_is_fed(manager: socket.socket) -> None:
    await feed_watchdog(Notifier(environment(manager)), {})
