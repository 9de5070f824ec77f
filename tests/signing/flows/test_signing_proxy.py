"""Real libp2p nodes with a proxy between them: cuts that heal, a cut that does not, a slow line."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from daemon.signing.limits import SigningLimits
from p2p.addresses import from_text
from tests.signing.libp2p_world import Libp2pDaemon, libp2p_daemons
from tests.signing.signing_world import World, announce, join, signatures
from tests.signing.tcp_proxy import Proxy

pytestmark = pytest.mark.network
Proxied = tuple[Callable[..., Awaitable[tuple[Libp2pDaemon, Libp2pDaemon]]], list[Proxy]]


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection gets before the daemon does."""
    while True:
        port = random.randint(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture
async def proxied(make_world: Callable[..., World]) -> AsyncIterator[Proxied]:
    """Two daemons that know only the proxies' addresses of each other."""
    proxies: list[Proxy] = []

    async def make(delay_s: float = 0.0) -> tuple[Libp2pDaemon, Libp2pDaemon]:
        world = make_world(limits=SigningLimits(first_pause_ms=50, longest_pause_ms=200))
        for _ in range(2):
            proxies.append(Proxy(free_port(), delay_s))
            await proxies[-1].start()
        places = [f"/ip4/127.0.0.1/tcp/{proxy.port}" for proxy in proxies]
        hidden = [(proxy.target, place) for proxy, place in zip(proxies, places, strict=True)]
        one, two = await libp2p_daemons(world, 2, proxied=hidden)
        for daemon, place in zip((one, two), places, strict=True):
            world.book.addrs[daemon.peer] = daemon.addrs = (from_text(place),)
        return one, two

    yield make, proxies
    for proxy in proxies:
        await proxy.stop()


@pytest.mark.parametrize("phase", ["joining", "round1", "round2"])
async def test_a_cut_that_heals_costs_no_session(proxied: Proxied, phase: str) -> None:
    make, proxies = proxied
    one, two = await make()
    announced = await announce(one, [one, two], autoAdvance=False)
    request, session = announced["requestId"], announced["sessionId"]
    await two.until("signing-request:received", requestId=request)
    if phase == "joining":
        await cut_and_heal(one, proxies)
    await join(two, request, autoAdvance=False)
    await one.until("session:ready", requestId=request)
    await one.call("startRound1", sessionId=session)
    if phase == "round1":
        await cut_and_heal(one, proxies)
    await two.call("startRound1", sessionId=session)
    await one.until("round1:complete", requestId=request)
    await one.call("startRound2", sessionId=session)
    if phase == "round2":
        await cut_and_heal(one, proxies)
    await two.call("startRound2", sessionId=session)
    assert await signatures(one, request) == await signatures(two, request)
    assert (await one.call("getSigningRequest", requestId=request))["attempt"] == 1
    async with asyncio.timeout(180):
        while (await one.p2p.stats()).session_streams != 1:  # both may have opened one; then one of them is given up
            await one.service.engine.turned()


async def cut_and_heal(daemon: Libp2pDaemon, proxies: list[Proxy]) -> None:
    for proxy in proxies:
        proxy.cut()
    async with asyncio.timeout(180):
        while daemon.p2p.peers():
            await daemon.service.engine.turned()
    for proxy in proxies:
        proxy.heal()


async def test_a_cut_that_does_not_heal_ends_with_who_was_missing(proxied: Proxied) -> None:
    make, proxies = proxied
    one, two = await make()
    announced = await announce(one, [one, two], autoAdvance=False, roundMs=5_000)
    await join(two, announced["requestId"], autoAdvance=False)
    await one.until("session:ready", requestId=announced["requestId"])
    await one.call("startRound1", sessionId=announced["sessionId"])
    for proxy in proxies:
        proxy.cut()
    event = await one.until("session:aborted", requestId=announced["requestId"])
    assert (event.data["reason"], event.data["missing"]) == ("timeout_round1", [two.key.hex()])


async def test_a_line_with_200_ms_delay_signs(proxied: Proxied) -> None:
    make, _ = proxied
    one, two = await make(0.2)
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)
