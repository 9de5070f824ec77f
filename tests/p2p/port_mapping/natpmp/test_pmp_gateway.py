"""Asking a router by NAT-PMP and PCP, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2p.port_mapping import mappings
from p2p.port_mapping.natpmp import gateway as asking
from p2p.port_mapping.natpmp.gateway import PmpGateway, find_pmp_gateway
from p2p.port_mapping.natpmp.messages import Said, pcp_answer, pmp_answer
from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, Granted, PortEntry
from p2p.ports import MappingFault, MappingState
from tests.p2p.nodes import eventually, network
from tests.p2p.port_mapping.natpmp.pmp_router import LOOPBACK, PmpRouter
from tests.p2p.port_mapping.upnp.igd import Igd
from tests.p2p.port_mapping.upnp.test_gateway import on_trio

NONCE = bytes(range(12))
pytestmark = pytest.mark.network
both = pytest.mark.parametrize("speaks", ["nat-pmp", "pcp"])


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a machine that stands still for seconds."""
    monkeypatch.setattr(asking, "WAITS_S", (20.0, 20.0, 20.0))


async def found(router: PmpRouter) -> PmpGateway:
    return await on_trio(lambda: find_pmp_gateway([router.place], NONCE))


@pytest.mark.usefixtures("patient")
@both
async def test_a_router_maps_a_port_says_so_and_ends_it(speaks: str) -> None:
    async with PmpRouter(speaks=speaks, taken={4_327}) as router:

        async def ask() -> None:
            gateway = await find_pmp_gateway([router.place], NONCE)
            assert (gateway.protocol, gateway.host, gateway.own_host) == (speaks, LOOPBACK, LOOPBACK)
            assert await gateway.add(4_327, 4_327, 3_600) == Granted(4_328, 3_600)
            assert await gateway.external_address() == "11.2.3.4"
            assert await gateway.entry(4_328) == PortEntry(LOOPBACK, 4_327)
            assert router.mappings == {4_328: (4_327, NONCE if speaks == "pcp" else b"")}
            for _ in range(2):
                await gateway.delete(4_328, 4_327)

        await on_trio(ask)
        assert router.mappings == {}


@pytest.mark.usefixtures("patient")
@both
async def test_a_restart_is_told_by_the_seconds_since_when_the_router_knows_its_mappings(speaks: str) -> None:
    async with PmpRouter(speaks=speaks) as router:

        async def ask() -> list[bool]:
            gateway = await find_pmp_gateway([router.place], NONCE)
            await gateway.add(4_327, 4_327, 3_600)
            router.epoch_s += 60
            known = [await gateway.entry(4_327) is not None]
            router.restart()
            return [*known, await gateway.entry(4_327) is not None]

        assert await on_trio(ask) == [True, False]


@pytest.mark.usefixtures("patient")
@both
async def test_a_refusal_has_its_sentence(speaks: str) -> None:
    async with PmpRouter(speaks=speaks, result=2) as router:
        gateway = await found(router)
        with pytest.raises(GatewayRefused, match="it may not do that: allow"):
            await on_trio(lambda: gateway.add(4_327, 4_327, 3_600))


@pytest.mark.usefixtures("patient")
@both
@pytest.mark.parametrize(("said", "taken"), [(1, 120), (0xFFFF_FFFF, 86_400)])
async def test_a_lease_is_taken_as_it_is_within_bounds(speaks: str, said: int, taken: int) -> None:
    async with PmpRouter(speaks=speaks, lease_s=said) as router:
        gateway = await found(router)
        assert (await on_trio(lambda: gateway.add(4_327, 4_327, 3_600))).lease_s == taken


@pytest.mark.usefixtures("patient")
@both
async def test_datagrams_that_are_no_answer_are_passed_by(speaks: str) -> None:
    rubbish = [b"", b"\0", bytes(12), b"\0\x82\0\0" + bytes(12), b"\2\x81" + bytes(58), b"x" * 1_200]
    async with PmpRouter(speaks=speaks) as router:
        gateway = await found(router)
        router.before = rubbish
        assert await on_trio(lambda: gateway.add(4_327, 4_327, 3_600)) == Granted(4_327, 3_600)


async def test_a_router_that_sends_only_rubbish_or_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WAITS_S", (0.05, 0.05))
    for router in (PmpRouter(change=lambda answer: answer[:-1]), PmpRouter(silent=True)):
        async with router:
            with pytest.raises(GatewayFault) as failed:
                await found(router)
            assert failed.value.kind is MappingFault.NO_GATEWAY
            assert "5351" in str(failed.value)
            assert router.asked == 4, "NAT-PMP and PCP, twice each"


@pytest.mark.usefixtures("patient")
async def test_a_router_without_an_address_is_behind_another() -> None:
    async with PmpRouter(external_host="0.0.0.0") as router:
        with pytest.raises(GatewayFault) as failed:
            await found(router)
        assert failed.value.kind is MappingFault.DOUBLE_NAT


def parsed(parse: Callable[[bytes], Said], data: bytes) -> Said:
    """What it says; what it refuses says nothing."""
    with suppress(BadAnswer):
        return parse(data)
    return Said(0, 0)


@given(
    st.binary(max_size=70)
    | st.binary(max_size=66).map(lambda rest: b"\0\x80\0\0" + rest)
    | st.binary(max_size=66).map(lambda rest: b"\0\x82\0\0" + rest)
    | st.binary(max_size=66).map(lambda rest: b"\2\x81\0\0" + rest)
)
def test_any_datagram_is_an_answer_or_refused(data: bytes) -> None:
    parses: list[Callable[[bytes], Said]] = [
        lambda data: pmp_answer(data, 0),
        lambda data: pmp_answer(data, 2),
        pcp_answer,
        lambda data: pcp_answer(data, (NONCE, 4_327)),
    ]
    for said in (parsed(parse, data) for parse in parses):
        assert 0 <= said.external < 65_536
        assert len(said.address) <= len("255.255.255.255")


async def mapped_by(way: str, place: tuple[str, int]) -> Any:
    """What a node tells that was given this router."""
    settings: dict[str, Any] = {"port_mapping": way, "gateways": (place,), "private_addresses": True}
    async with network(**settings) as node:

        async def told() -> Any:
            report = node.reachability.mapping
            return report if report is not None and report.state is MappingState.MAPPED else None

        return await eventually(told)


@both
async def test_a_node_keeps_its_port_mapped_and_ends_that_when_it_stops(speaks: str) -> None:
    async with PmpRouter(speaks=speaks) as router:
        report = await mapped_by("natpmp", router.place)
        assert (report.protocol, report.gateway, report.external_host) == (speaks, LOOPBACK, "11.2.3.4")
        assert report.expires_ms is not None
        assert router.mappings == {}
        assert router.asked >= 3


async def test_auto_takes_upnp_where_the_router_speaks_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WAITS_S", (0.01, 0.01))
    async with Igd(forwards=False) as igd:
        assert (await mapped_by("auto", igd.place)).protocol == "upnp"


async def test_auto_takes_the_other_way_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WAITS_S", (0.5, 20.0))
    monkeypatch.setattr(mappings, "AGAIN_S", 0.1)
    async with Igd(forwards=False) as igd, PmpRouter(result=2) as refusing:
        igd.pmp = refusing.answer
        assert (await mapped_by("auto", igd.place)).protocol == "upnp"
        assert refusing.mappings == {}
