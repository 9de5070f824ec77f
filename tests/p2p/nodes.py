"""Real nodes on loopback for tests: `async with network() as node:` starts one with a sink that records everything."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.wire.frames import Frame
from p2p.network import GossipItem, NetState, Network, NetworkConfig, Offence, PeerChange

DEADLINE_S = 180.0


class RecordingSink:
    """Records each call of the network, and wakes `until` at each."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, Frame]] = []
        self.gossip: list[GossipItem] = []
        self.changes: list[PeerChange] = []
        self.offences: list[tuple[bytes, Offence]] = []
        self.bans: list[tuple[bytes, str]] = []
        self.states: list[NetState] = []
        self.bursts = 0
        self.answer: Callable[[bytes, bytes], Awaitable[bytes]] | None = None
        self.sessions_with: set[bytes] = set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], Any], deadline_s: float = DEADLINE_S) -> None:
        """Wait until a recorded call makes `condition()` true."""
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._event.clear()
                await self._event.wait()

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        self.bursts += 1
        self.frames += batch
        self._event.set()

    def on_gossip(self, batch: list[GossipItem]) -> None:
        self.gossip += batch
        self._event.set()

    def on_peer(self, change: PeerChange) -> None:
        self.changes.append(change)
        self._event.set()

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        return await self.answer(peer, payload) if self.answer else payload[::-1]

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences.append((peer, kind))
        self._event.set()

    def on_ban(self, peer: bytes, reason: str) -> None:
        self.bans.append((peer, reason))
        self._event.set()

    def in_session(self, peer: bytes) -> bool:
        return peer in self.sessions_with

    def on_addresses(self) -> None:
        self._event.set()

    def on_state(self, state: NetState) -> None:
        self.states.append(state)
        self._event.set()


class TestNode(Network):
    """A network with its recording sink."""

    __test__ = False
    sink: RecordingSink

    @property
    def address(self) -> str:
        """Where it can be dialled."""
        return self.multiaddrs()[0]

    async def inside(self, what: Callable[[Any], Any]) -> Any:
        """`what(node)` on the trio side, awaited there if it is awaitable: reaches into the parts of libp2p."""

        def bind(trio_node: Any) -> Callable[[], Awaitable[Any]]:
            async def perform() -> Any:
                answer = what(trio_node)
                return await answer if hasattr(answer, "__await__") else answer

            return perform

        return await self._call(bind)

    async def meet(self, other: TestNode) -> None:
        """Connect to another node and wait until both know it."""
        await self.connect(other.address)
        await other.sink.until(lambda: other.connected(self.peer))


async def eventually(check: Callable[[], Awaitable[Any]], deadline_s: float = DEADLINE_S) -> Any:
    """The first true result of `check`, for facts that no event reports."""
    async with asyncio.timeout(deadline_s):
        while not (answer := await check()):  # noqa: ASYNC110 - nothing tells; the deadline is above
            await asyncio.sleep(0.01)
        return answer


async def identified(*nodes: TestNode) -> None:
    """Wait until each has identified the peer that it met first."""

    async def known() -> bool:
        return all(node.peers() and node.peers()[0].agent for node in nodes)

    await eventually(known)


def config_for_tests(**settings: Any) -> NetworkConfig:
    """Loopback, a free port, no mDNS, and time for a handshake on a machine that is busy with other things."""
    patient = {"upgrade_timeout_ms": 30_000, "dial_timeout_ms": 30_000}
    defaults = {"network": "test", "listen": ("/ip4/127.0.0.1/tcp/0",), "mdns": False, **patient}
    return NetworkConfig(**{**defaults, **settings})


@contextlib.asynccontextmanager
async def network(seed: bytes | None = None, **settings: Any) -> AsyncIterator[TestNode]:
    """One started node; `settings` are those of NetworkConfig."""
    sink = RecordingSink()
    node = TestNode(
        config_for_tests(**settings),
        seed or secrets.token_bytes(32),
        sink,
        lambda: time.time_ns() // 10**6,
        RecordLimits(),
    )
    node.sink = sink
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


@contextlib.asynccontextmanager
async def networks(count: int, **settings: Any) -> AsyncIterator[list[TestNode]]:
    """Several started nodes of one network with a random name."""
    settings.setdefault("network", f"t-{secrets.token_hex(6)}")
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(network(**settings)) for _ in range(count)]
