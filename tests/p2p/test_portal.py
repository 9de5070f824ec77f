"""The portal between asyncio and trio: results, errors, cancellation, order, bursts, and the end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from p2p.bridge.portal import Portal, root_cause
from p2p.errors import NetworkError


async def wait_for_the_end(portal: Portal) -> None:
    portal.ready()
    await portal.stopping.wait()


@contextlib.asynccontextmanager
async def running(main: Any = wait_for_the_end) -> AsyncIterator[Portal]:
    portal = Portal()
    await portal.start(main)
    try:
        yield portal
    finally:
        await portal.stop()


async def double(number: int) -> int:
    await trio.lowlevel.checkpoint()
    return 2 * number


async def test_a_call_brings_back_the_result_or_the_exception() -> None:
    async def fail() -> None:
        raise KeyError("from the other side")

    async with running() as portal:
        assert await portal.call(double, 21) == 42
        assert await asyncio.gather(*(portal.call(double, number) for number in range(100))) == list(range(0, 200, 2))
        with pytest.raises(KeyError):
            await portal.call(fail)
        assert portal.alive


async def test_cancelling_the_caller_cancels_the_task_and_waits_for_it() -> None:
    events = []
    started = asyncio.Event()

    async def slow(portal: Portal) -> None:
        portal.emit(lambda _: started.set(), None)
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.01)
            events.append("cleaned up")

    async with running() as portal:
        task = asyncio.create_task(portal.call(slow, portal))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert events == ["cleaned up"]
        assert await portal.call(double, 1) == 2


async def test_posts_arrive_in_order_with_one_wake_up_per_turn() -> None:
    seen: list[int] = []
    wakes = []
    async with running() as portal:
        drain = portal._drain_inward

        def counted() -> None:
            wakes.append(len(portal._inward))
            drain()

        portal._drain_inward = counted  # type: ignore[method-assign] # counts the wake-ups
        for number in range(1_000):
            portal.post(seen.append, number)
        assert await portal.call(double, 0) == 0
    assert seen == list(range(1_000))
    assert wakes[0] >= 1_000


async def test_emitted_items_arrive_in_order_and_in_bursts_before_the_result_of_the_call() -> None:
    batches: list[list[int]] = []
    begun = asyncio.Event()
    busy, emitted = threading.Event(), threading.Event()

    async with running() as portal:

        async def emit_many() -> str:
            portal.emit(lambda _: begun.set(), None)
            busy.wait(timeout=30)
            for number in range(1_000):
                portal.emit(batches.append, number)
            emitted.set()
            return "done"

        call = asyncio.ensure_future(portal.call(emit_many))
        await begun.wait()
        busy.set()
        assert emitted.wait(timeout=30)  # this loop takes nothing until all is emitted

        assert await call == "done"
        assert [number for batch in batches for number in batch] == list(range(1_000))
        assert len(batches) == 1


async def test_a_callback_that_fails_does_not_stop_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    good: list[list[int]] = []

    def bad(_: list[int]) -> None:
        raise ValueError("of the test")

    async with running() as portal:

        async def emit() -> None:
            portal.emit(bad, 1)
            portal.emit(good.append, 2)

        await portal.call(emit)
    assert good == [[2]]
    assert "a callback of the libp2p side failed" in caplog.text


async def test_when_trio_dies_all_waiting_calls_fail() -> None:
    async def die() -> None:
        raise RuntimeError("of the test")

    portal = Portal()
    await portal.start(wait_for_the_end)
    waiting = asyncio.create_task(portal.call(trio.sleep_forever))
    await portal.call(double, 1)
    portal.post(portal.spawn, die)
    assert isinstance(root_cause(await portal.dead), RuntimeError)
    with pytest.raises(NetworkError) as down:
        await waiting
    assert down.value.reason == "p2p_down"
    with pytest.raises(NetworkError):
        await portal.call(double, 1)
    portal.post(print, "never")
    await portal.stop()


async def test_a_main_that_fails_before_it_is_ready_fails_the_start() -> None:
    async def fail(portal: Portal) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise NetworkError("port_taken", "of the test")

    portal = Portal()
    with pytest.raises(NetworkError) as failed:
        await portal.start(fail)
    assert failed.value.reason == "port_taken"


async def test_stop_waits_for_an_orderly_end_and_leaves_no_thread() -> None:
    events = []

    async def orderly(portal: Portal) -> None:
        portal.ready()
        await portal.stopping.wait()
        await trio.sleep(0.01)
        events.append("said goodbye")

    before = threading.active_count()
    async with running(orderly):
        assert threading.active_count() == before + 1
    assert events == ["said goodbye"]
    assert threading.active_count() == before


async def test_a_main_that_does_not_end_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2p.bridge.portal.STOP_S", 0.01)

    ends: list[str] = []

    async def stubborn(portal: Portal) -> None:
        portal.ready()
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            ends.append("cancelled")
            raise

    async with asyncio.timeout(180), running(stubborn):
        pass
    assert ends == ["cancelled"]
