"""Starting, stopping, dying and coming back."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import secrets
import threading
import time
from collections.abc import Callable

import pytest
import trio

from musig2.protocol.records.peers import PeerIdentity, peer_text
from p2p.network import BootstrapFault, NetStatus, NetworkError
from p2p.node import node as node_life
from p2p.node.forwarded import ForwardedPorts
from tests.p2p.nodes import TestNode, eventually, network, networks
from tests.p2p.p2p_world import have, now_ms

pytestmark = pytest.mark.network


async def test_stop_leaves_no_thread_and_no_task() -> None:
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    async with networks(3) as (anna, ben, cleo):
        await anna.meet(ben)
        await anna.meet(cleo)
        anna.send(ben.peer, [have(1)])
        await anna.ask(cleo.peer, b"?", 5_000)
        await anna.follow(frozenset({f"musigd/{anna._config.network}/requests"}))
    assert asyncio.all_tasks() == tasks
    left = [thread for thread in threading.enumerate() if thread not in threads and "Trio thread" not in thread.name]
    assert left == []
    gc.collect()


async def test_stopping_twice_or_before_the_start_is_no_error() -> None:
    async with networks(1) as (anna,):
        await anna.stop()
        await anna.stop()
        assert not anna.alive


async def test_the_port_is_free_again_after_the_stop() -> None:
    async with networks(1) as (anna,):
        bound = anna.address.partition("/p2p/")[0]
    async with network(listen=(bound,)) as again:
        assert again.address.startswith(bound)


async def test_a_peer_hears_of_the_stop_at_once() -> None:
    async with networks(1) as (anna,):
        async with network(network=anna._config.network) as ben:
            await anna.meet(ben)
        async with asyncio.timeout(180):  # long before an idle connection is given up
            await anna.sink.until(lambda: not anna.connected(ben.peer))
        assert anna.sink.changes[-1].connected is False


@pytest.mark.parametrize("opened", [True, False])
async def test_what_was_sent_before_the_stop_arrives(opened: bool) -> None:
    async with networks(1) as (anna,):
        async with network(network=anna._config.network) as ben:
            await ben.meet(anna)
            if opened:
                ben.send(anna.peer, [have(0)])
                await anna.sink.until(lambda: anna.sink.frames)
            ben.send(anna.peer, [have(number) for number in range(1, 200)])
        await anna.sink.until(lambda: not anna.connected(ben.peer))
        assert len(anna.sink.frames) == 199 + opened


async def test_a_router_that_hangs_at_the_stop_does_not_hold_the_goodbyes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    async def hang(_: ForwardedPorts) -> None:
        await trio.to_thread.run_sync(answered.wait)

    monkeypatch.setattr(ForwardedPorts, "end", hang)
    monkeypatch.setattr(node_life, "CLOSE_S", 600.0)
    monkeypatch.setattr("p2p.bridge.portal.STOP_S", 600.0)  # after which all ends, goodbyes or not
    async with networks(2) as (anna, ben):
        await anna.meet(ben)
        stopping = asyncio.create_task(anna.stop())
        try:
            await ben.sink.until(lambda: not ben.connected(anna.peer))
            assert not stopping.done()
        finally:
            answered.set()
        await stopping


async def test_when_libp2p_dies_it_comes_back_with_its_port_bans_and_topics() -> None:
    async with networks(2, restart_pause_ms=20) as (anna, ben):
        requests = f"musigd/{anna._config.network}/requests"
        await ben.follow(frozenset({requests}))
        await anna.meet(ben)
        address, outcast = ben.address, secrets.token_bytes(38)
        ben.set_ban(outcast, now_ms() + 60_000)
        await kill(ben)
        await ben.sink.until(
            lambda: [state.status for state in ben.sink.states][-2:] == [NetStatus.RESTARTING, NetStatus.UP]
        )
        assert ben.alive
        assert ben.address == address
        stats = await ben.stats()
        assert (stats.restarts, stats.bans, list(stats.topics)) == (1, 1, [requests])
        await eventually(lambda: reconnected(anna, ben))
        assert anna.send(ben.peer, [have(7)])
        await ben.sink.until(lambda: ben.sink.frames)


async def reconnected(anna: TestNode, ben: TestNode) -> bool:
    await anna.connect(ben.address)
    return anna.connected(ben.peer) and ben.connected(anna.peer)


async def kill(node: TestNode) -> None:
    """An exception in the middle of the trio side."""

    async def fail() -> None:
        raise RuntimeError("killed by the test")

    portal = node._portal
    assert portal is not None
    portal.post(portal.spawn, fail)
    await asyncio.wait({portal.dead})


async def test_when_trio_itself_is_hit_the_port_is_free_for_the_next_life() -> None:
    async with networks(2, restart_pause_ms=20) as (anna, ben):
        await anna.meet(ben)
        address = anna.address
        portal = anna._portal
        assert portal is not None
        assert portal._thread is not None
        thread = ctypes.c_ulong(portal._thread.ident or 0)
        dead, held = portal.dead, asyncio.Event()
        portal.post(portal.spawn, hold_a_lock, lambda: portal.emit(lambda _: held.set(), None))
        await held.wait()

        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(SystemExit))
        await ben.sink.until(lambda: not ben.connected(anna.peer))
        await anna.sink.until(lambda: len(anna.sink.states) == 3)

        assert [state.status for state in anna.sink.states] == [NetStatus.UP, NetStatus.RESTARTING, NetStatus.UP]
        assert dead.done()
        assert anna.address == address


async def hold_a_lock(holding: Callable[[], None]) -> None:
    """Trio keeps whoever holds a lock in a table of the process, and with it all tasks of its run."""
    async with trio.Lock():
        holding()
        await trio.sleep_forever()


async def test_a_libp2p_thread_that_stands_still_does_not_answer() -> None:
    async with networks(1, restart_pause_ms=60_000) as (anna,):
        await anna.answers()
        await kill(anna)
        with pytest.raises(NetworkError) as down:
            await anna.answers()
        assert down.value.reason == "p2p_down"


async def test_a_stop_leaves_a_stuck_thread_behind_and_tells_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2p.bridge.portal.STOP_S", 0.01)
    monkeypatch.setattr("p2p.bridge.portal.STUCK_S", 0.01)
    free = threading.Event()
    async with networks(1) as (anna,):
        portal = anna._portal
        assert portal is not None

        def hold() -> None:
            free.wait()

        portal.post(hold)
        question = asyncio.create_task(anna.answers())
        await asyncio.sleep(0)

        with pytest.raises(NetworkError) as stuck:
            await anna.stop()
        free.set()

        assert stuck.value.reason == "stuck"
        with pytest.raises(NetworkError):
            await question
        assert portal._thread is not None
        portal._thread.join()


async def test_while_libp2p_is_down_calls_say_so_and_nothing_hangs() -> None:
    async with networks(2, restart_pause_ms=60_000) as (anna, ben):
        await anna.meet(ben)

        async def never(peer: bytes, payload: bytes) -> bytes:
            await asyncio.Event().wait()
            return b""

        ben.sink.answer = never
        question = asyncio.create_task(anna.ask(ben.peer, b"?", 60_000))
        await asyncio.sleep(0)
        await kill(anna)
        for attempt in (question, anna.ask(ben.peer, b"?", 100), anna.dial(ben.peer, ()), anna.publish("x", b"")):
            with pytest.raises(NetworkError) as down:
                await attempt
            assert down.value.reason == "p2p_down"
        assert not anna.alive
        assert not anna.send(ben.peer, [have(1)])
        assert anna.peers() == []
        assert (await anna.stats()).connections == 0
        await anna.sink.until(lambda: anna.sink.changes[-1].connected is False)


async def test_a_bootstrap_peer_is_dialled_at_the_start_and_again_when_it_returns() -> None:
    name, seed = f"t-{secrets.token_hex(6)}", secrets.token_bytes(32)
    async with network(seed, network=name) as hub:
        bound, address = hub.address.partition("/p2p/")[0], hub.address
        anna_runs = network(network=name, bootstrap=(address,), bootstrap_pause_ms=50)
        anna = await anna_runs.__aenter__()
        await anna.sink.until(lambda: anna.connected(hub.peer))
    try:
        await anna.sink.until(lambda: not anna.connected(hub.peer))
        async with network(seed, network=name, listen=(bound,)) as again:
            await anna.sink.until(lambda: anna.connected(again.peer))
            connected = [change.connected for change in anna.sink.changes]
            assert len(connected) >= 3  # more where the hub, about to stop, was reached once again
            assert connected == [True, False] * (len(connected) // 2) + [True]
    finally:
        await anna_runs.__aexit__(None, None, None)


async def test_a_bootstrap_address_of_another_peer_is_reported_with_both_ids_until_it_works() -> None:
    name, seed = f"t-{secrets.token_hex(6)}", secrets.token_bytes(32)
    meant = PeerIdentity(seed).peer
    async with network(network=name) as ben:
        bound = ben.address.partition("/p2p/")[0]
        address = f"{bound}/p2p/{peer_text(meant)}"
        anna_runs = network(network=name, bootstrap=(address,), bootstrap_pause_ms=50)
        anna = await anna_runs.__aenter__()
        (fault,) = await eventually(lambda: faults_of(anna))
        assert (fault.multiaddr, fault.expected, fault.found) == (address, meant, ben.peer)
    try:
        async with network(seed, network=name, listen=(bound,)) as right:
            await anna.sink.until(lambda: anna.connected(right.peer))
            await eventually(lambda: no_faults(anna))
    finally:
        await anna_runs.__aexit__(None, None, None)


async def test_a_private_bootstrap_address_that_is_never_dialled_is_reported() -> None:
    address = f"/ip4/10.1.2.3/tcp/4327/p2p/{peer_text(PeerIdentity(secrets.token_bytes(32)).peer)}"
    async with network(listen=("/ip4/0.0.0.0/tcp/0",), bootstrap=(address,)) as anna:
        (fault,) = await eventually(lambda: faults_of(anna))
        assert (fault.multiaddr, fault.found) == (address, None)


async def faults_of(node: TestNode) -> tuple[BootstrapFault, ...]:
    return node.bootstrap_faults


async def no_faults(node: TestNode) -> bool:
    return not node.bootstrap_faults


async def test_start_waits_for_nothing() -> None:
    took = []
    for _ in range(5):
        begun = time.monotonic()
        async with network():
            took.append(time.monotonic() - begun)
    assert min(took) < 1  # one of them was not disturbed
