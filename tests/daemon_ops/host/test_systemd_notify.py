"""What systemd hears, on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
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


def test_ready_reloading_and_stopping_are_sent(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager))
    notifier.ready("http://127.0.0.1:8327")
    assert manager.recv(4096) == b"READY=1\nSTATUS=http://127.0.0.1:8327"
    notifier.reloading()
    assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    notifier.reloaded()
    assert manager.recv(4096) == b"READY=1"  # the status line stays
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
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}):
        Notifier(environment).ready("")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30\u00b2"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_counts_only_if_it_names_this_process(variables: dict[str, str], expected: int | None) -> None:
    assert Notifier(variables).watchdog_ms == expected


async def heard(manager: socket.socket) -> bytes:
    return await asyncio.to_thread(manager.recv, 4096)


async def until_heard(manager: socket.socket, text: bytes) -> bytes:
    while text not in (said := await heard(manager)):
        pass
    return said


async def works() -> None:
    pass


async def fails() -> None:
    raise OSError


async def test_a_part_that_does_not_answer_is_named_until_it_answers(manager: socket.socket) -> None:
    answers = asyncio.Event()
    answers.set()
    notifier = Notifier(environment(manager, WATCHDOG_USEC="20000"))
    notifier.ready("all is well")
    feeding = asyncio.create_task(feed_watchdog(notifier, {"store": works, "libp2p": answers.wait}))

    await until_heard(manager, b"WATCHDOG=1")
    answers.clear()
    stuck = await until_heard(manager, b"Stuck")
    answers.set()
    again = await until_heard(manager, b"STATUS")

    assert stuck == b"STATUS=Stuck: libp2p does not answer"
    assert again == b"STATUS=all is well"
    feeding.cancel()


async def test_the_watchdog_is_not_fed_while_a_part_fails(manager: socket.socket) -> None:
    feeding = asyncio.create_task(
        feed_watchdog(Notifier(environment(manager, WATCHDOG_USEC="20000")), {"libp2p": works, "store": fails})
    )

    assert await heard(manager) == b"STATUS=Stuck: store does not answer"
    feeding.cancel()


async def test_a_part_that_cannot_be_cancelled_is_named(manager: socket.socket) -> None:
    free = asyncio.Event()

    async def deaf() -> None:
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    feeding = asyncio.create_task(
        feed_watchdog(Notifier(environment(manager, WATCHDOG_USEC="20000")), {"libp2p": deaf})
    )

    assert await heard(manager) == b"STATUS=Stuck: libp2p does not answer"
    feeding.cancel()
    free.set()


async def test_without_a_watchdog_nothing_is_fed(manager: socket.socket) -> None:
    await feed_watchdog(Notifier(environment(manager)), {})
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)
