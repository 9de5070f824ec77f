"""Faults of py-libp2p shown on the library as it comes, without anything of `p2p`: true while the fault is there.

    python -m tests.libp2p.show      prints {"name": "there" | "gone" | "misfit: ..." | "hangs"} as JSON

A fault that cannot be asked for any more (another name, another signature) is a misfit. Each has a few seconds.
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import trio
import trio.lowlevel
import trio.testing
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo
from libp2p.peer.peerstore import PeerStore
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

Fault = Callable[[], Awaitable[bool]]
FAULTS: dict[str, Fault] = {}
EACH_S = 30.0
LOOPBACK = "/ip4/127.0.0.1/tcp/0"


def fault(show: Fault) -> Fault:
    """Registers a fault under the name of its function."""
    FAULTS[show.__name__] = show
    return show


def a_peer() -> ID:
    return ID.from_pubkey(create_new_key_pair().public_key)


async def boom(*_: Any) -> None:
    raise ValueError("raised to see who survives it")


@asynccontextmanager
async def hosts(count: int) -> AsyncIterator[list[Any]]:
    """Hosts that listen; they are gone with the block, whatever they are doing."""
    made = [new_host(key_pair=create_new_key_pair()) for _ in range(count)]
    async with trio.open_nursery() as nursery:

        async def run(host: Any, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
            async with host.run(listen_addrs=[Multiaddr(LOOPBACK)]):
                task_status.started()
                await trio.sleep_forever()

        for host in made:
            await nursery.start(run, host)
        yield made
        nursery.cancel_scope.cancel()


def info(host: Any) -> PeerInfo:
    return PeerInfo(host.get_id(), host.get_transport_addrs())


@fault
async def a_failing_task_ends_its_service() -> bool:
    ended = False
    try:
        async with hosts(1) as (host,):
            host.get_network().manager.run_task(boom)
            await trio.sleep(EACH_S / 2)
    except BaseExceptionGroup as error:
        ended = error.subgroup(ValueError) is not None
    return ended


@fault
async def a_failing_stream_handler_stops_the_host() -> bool:
    stopped = False
    try:
        async with hosts(2) as (anna, ben):
            ben.set_stream_handler(TProtocol("/test/1"), boom)
            await anna.connect(info(ben))
            await anna.new_stream(ben.get_id(), [TProtocol("/test/1")])
            await trio.sleep(EACH_S / 2)  # a host that is stopped ends this at once
    except BaseExceptionGroup as error:
        stopped = error.subgroup(ValueError) is not None
    return stopped


@fault
async def an_ended_inbound_connection_keeps_its_slot() -> bool:
    class Socketless:
        def get_remote_address(self) -> tuple[str, int]:
            return "127.0.0.1", 1

        async def close(self) -> None:
            pass

    async def ended_at_once(*_: Any) -> None:
        pass

    async with hosts(1) as (host,):
        swarm = host.get_network()
        before = swarm._inbound_limiter.borrowed_tokens
        swarm.upgrade_inbound_raw_conn = ended_at_once
        async with trio.open_nursery() as nursery:
            nursery.start_soon(swarm._handle_inbound_connection, Socketless(), None)
            await trio.testing.wait_all_tasks_blocked(0.05)
            taken = swarm._inbound_limiter.borrowed_tokens - before
            nursery.cancel_scope.cancel()
        return bool(taken)


@fault
async def a_failed_dial_blocks_the_peer() -> bool:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    peer = a_peer()
    async with hosts(1) as (host,):
        try:
            await host.connect(PeerInfo(peer, [Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")]))
        except Exception:
            return bool(host.get_network()._negative_peer_cache.is_blocked(str(peer)))
    return False


@fault
async def everybody_is_dialled_whose_address_was_heard() -> bool:
    async with hosts(2) as (host, other):
        network = host.get_network()
        network.connection_config.low_watermark = network.connection_config.min_connections = 0
        network.peerstore.add_addrs(other.get_id(), other.get_transport_addrs(), 60)
        await network.auto_connector.maybe_connect()
        return bool(network.get_connections(other.get_id()))


@fault
async def two_processes_may_listen_on_one_port() -> bool:
    async with hosts(1) as (host,):
        (port,) = {addr.value_for_protocol("tcp") for addr in host.get_transport_addrs()}
        other = new_host(key_pair=create_new_key_pair())
        async with other.run(listen_addrs=[Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")]):
            return any(addr.value_for_protocol("tcp") == port for addr in other.get_transport_addrs())


@fault
async def a_peer_over_ipv6_has_no_address() -> bool:
    from libp2p.io.trio import TrioTCPStream

    def stream(*address: object) -> Any:
        return SimpleNamespace(socket=SimpleNamespace(getpeername=lambda: address))

    assert TrioTCPStream(stream("127.0.0.1", 7)).get_remote_address() == ("127.0.0.1", 7)
    return TrioTCPStream(stream("::1", 7, 0, 0)).get_remote_address() is None


@fault
async def the_end_of_a_connection_is_told_late() -> bool:
    from libp2p.network.connection import swarm_connection

    slept: list[float] = []

    class Clock:
        def __getattr__(self, name: str) -> Any:
            return getattr(trio, name)

        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await trio.lowlevel.checkpoint()

    vars(swarm_connection)["trio"] = Clock()  # the name by which it waits
    try:
        async with hosts(2) as (anna, ben):
            await anna.connect(info(ben))
            await anna.disconnect(ben.get_id())
    finally:
        vars(swarm_connection)["trio"] = trio
    return any(seconds >= 0.05 for seconds in slept)


@fault
async def addresses_of_a_peer_are_kept_without_bound() -> bool:
    store, peer = PeerStore(), a_peer()
    for port in range(1_000):
        store.add_addrs(peer, [Multiaddr(f"/ip4/127.0.0.1/tcp/{port + 1}")], 3_600)
    return len(store.addrs(peer)) == 1_000


@fault
async def plaintext_and_mplex_are_offered() -> bool:
    upgrader: Any = new_host(key_pair=create_new_key_pair()).get_network().upgrader  # type: ignore[attr-defined]  # of the swarm
    offered = [*upgrader.security_multistream._selector.handlers, *upgrader.muxer_multistream._selector.handlers]
    return any("plaintext" in name or "mplex" in name for name in map(str, offered))


@fault
async def proposals_without_end_are_answered() -> bool:
    from libp2p.protocol_muxer.multiselect import Multiselect

    class Endless:
        answered = 0
        left = 2_000

        async def read(self) -> str:
            if not self.left:
                raise trio.EndOfChannel
            self.left -= 1
            return "/multistream/1.0.0" if self.left == 1_999 else f"/none/{self.left}"

        async def write(self, msg_str: str) -> None:
            self.answered += 1

    peer = Endless()
    try:
        await Multiselect().negotiate(peer)  # type: ignore[arg-type]  # as much of one as it uses
    except Exception:
        return peer.answered > 1_000
    return False


@fault
async def more_is_taken_than_the_window_of_a_stream() -> bool:
    from libp2p.stream_muxer.yamux.yamux import Yamux

    window, sent = 256 * 1024, 4 * 256 * 1024
    head = b"\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00"  # a window update that opens stream 1
    frames = bytearray(head + (b"\x00\x00\x00\x00\x00\x00\x00\x01" + window.to_bytes(4, "big") + bytes(window)) * 4)

    class Flood:
        is_initiator = False
        remote_peer = None

        async def read(self, n: int | None = None) -> bytes:
            if not frames:
                await trio.sleep_forever()
            end = len(frames) if n is None else n
            data = bytes(frames[:end])
            del frames[:end]
            return data

        async def write(self, data: bytes) -> None:
            pass

        async def close(self) -> None:
            pass

        def get_remote_address(self) -> None:
            return None

    muxer = Yamux(Flood(), a_peer(), is_initiator=False)  # type: ignore[arg-type]  # as much of one as it uses
    async with trio.open_nursery() as nursery:
        nursery.start_soon(muxer.start)
        await trio.testing.wait_all_tasks_blocked(0.2)
        held = len(muxer.stream_buffers.get(1, b""))
        nursery.cancel_scope.cancel()
    return held == sent


def verdict(show: Fault) -> str:
    """What one run shows."""

    seen = ["hangs"]

    async def bounded() -> None:
        with trio.move_on_after(EACH_S):
            seen[0] = "there" if await show() else "gone"

    try:
        trio.run(bounded)
    except BaseException as error:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return f"misfit: {type(error).__name__}: {error}"[:200]
    return seen[0]


def told(names: Sequence[str]) -> None:
    """Print what each of these shows, a line each."""
    for name in names:
        print(json.dumps({name: verdict(FAULTS[name])}), flush=True)
