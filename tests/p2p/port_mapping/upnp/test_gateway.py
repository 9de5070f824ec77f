"""Routers that behave, and routers that do not: what they send is bounded, and leads nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from p2p.port_mapping.router import BadAnswer, GatewayFault, GatewayRefused, PortEntry
from p2p.port_mapping.upnp import http as exchanging
from p2p.port_mapping.upnp import search as searching
from p2p.port_mapping.upnp.elements import MOST_DEPTH, MOST_ELEMENTS, parsed
from p2p.port_mapping.upnp.gateway import Gateway, find_gateway
from p2p.port_mapping.upnp.http import MOST_BYTES, Url, url_at
from p2p.port_mapping.upnp.search import SSDP, Lan, default_gateways
from p2p.ports import MappingFault
from tests.p2p.port_mapping.upnp.igd import IP1, IP2, LOOPBACK, PPP1, Igd, http

BOMB = '<!DOCTYPE a [<!ENTITY b "{}"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'.format("x" * 1000)
GROUP = "239.255.255.250"


def lan_of(igd: Igd, *gateways: str) -> Lan:
    return Lan((LOOPBACK,), (igd.place,), frozenset(gateways or (LOOPBACK,)))


async def on_trio(call: Callable[[], Awaitable[Any]]) -> Any:
    return await asyncio.to_thread(trio.run, call)


async def found_by(igd: Igd, *gateways: str) -> Gateway:
    gateway: Gateway = await on_trio(lambda: find_gateway(lan_of(igd, *gateways)))
    return gateway


async def fault_of(igd: Igd, *gateways: str) -> GatewayFault:
    with pytest.raises(GatewayFault) as raised:
        await found_by(igd, *gateways)
    return raised.value


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A router that is not there is known after a moment; one that is gets time."""
    monkeypatch.setattr(searching, "LISTEN_S", 0.2)
    monkeypatch.setattr(searching, "TIMES", 1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LISTEN_S", 60.0)
    monkeypatch.setattr(exchanging, "EXCHANGE_S", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("service", [IP1, IP2, PPP1])
async def test_a_router_maps_a_port_says_so_and_ends_it(service: str) -> None:
    async with Igd(service=service, group=GROUP, forwards=False) as igd:
        gateway = await found_by(igd)
        assert (gateway.host, gateway.own_host, gateway.service) == (LOOPBACK, LOOPBACK, service)
        assert await on_trio(gateway.external_address) == LOOPBACK
        await on_trio(lambda: gateway.add(41_234, 4_327, 3_600))
        assert await on_trio(lambda: gateway.entry(41_234)) == PortEntry(LOOPBACK, 4_327)
        assert igd.mappings[41_234].lease_s == 3_600
        for _ in range(2):  # the second time it is not there
            await on_trio(lambda: gateway.delete(41_234, 4_327))
        assert await on_trio(lambda: gateway.entry(41_234)) is None


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("base", ["", "http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/deep/description.xml"])
@pytest.mark.parametrize("control", ["/control", "control", "http://127.0.0.1:{port}/control?of=wan"])
async def test_urls_are_relative_to_the_description_or_to_the_base_that_it_names(base: str, control: str) -> None:
    async with Igd() as igd:
        igd.base, igd.control = base.format(port=igd.port), control.format(port=igd.port)
        assert (await found_by(igd)).control.port == igd.port


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("code", [402, 501, 718, 725, 999])
async def test_a_refusal_has_its_code_and_a_sentence(code: int) -> None:
    async with Igd(refuses={"AddPortMapping": [code]}) as igd:
        gateway = await found_by(igd)
        with pytest.raises(GatewayRefused, match=f"error {code}") as refused:
            await on_trio(lambda: gateway.add(4_327, 4_327, 3_600))
        assert refused.value.code == code


async def test_where_no_router_answers_the_owner_hears_what_to_do() -> None:
    async with Igd() as igd:
        silent = Lan((LOOPBACK,), ((LOOPBACK, 9),), frozenset({LOOPBACK}))
        with pytest.raises(GatewayFault, match="Switch UPnP on") as raised:
            await on_trio(lambda: find_gateway(silent))
        assert (raised.value.kind, igd.asked) == (MappingFault.NO_GATEWAY, [])


async def test_only_the_default_gateway_is_believed_and_nothing_else_is_asked() -> None:
    async with Igd() as igd:
        fault = await fault_of(igd, "192.168.1.1")
        assert fault.kind is MappingFault.NO_GATEWAY
        assert f"not the router of this machine: {LOOPBACK}" in str(fault)
        assert igd.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:80/description",
        "http://localhost:80/description",
        "https://127.0.0.1/description",
        "file:///etc/passwd",
        "http://127.0.0.1@10.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1]/",
    ],
)
async def test_a_description_elsewhere_is_not_fetched(location: str) -> None:
    async with Igd(location=location) as igd:
        assert (await fault_of(igd)).kind is MappingFault.NO_GATEWAY
        assert igd.asked == []


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("base", "control"), [("http://10.0.0.1/", "/c"), ("", "http://10.0.0.1/c"), ("", "//x/c")])
async def test_a_description_that_leads_to_another_host_is_refused(base: str, control: str) -> None:
    async with Igd(base=base, control=control) as igd:
        fault = await fault_of(igd)
        assert fault.kind is MappingFault.REFUSED
        assert "leads elsewhere" in str(fault)
        assert igd.asked == ["description"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (http("", "302 Found", "Location: http://10.0.0.1/\r\n"), "HTTP status 302"),
        (http(BOMB), "document type"),
        (http("<a" * 10), "not XML"),
        (http(b"\xff\xfe\x00"), "not XML"),
        (http('<?xml version="1.0" encoding="rot13"?><a/>'), "not XML"),
        (http("<a/>"), "no connection that maps ports"),
        (http("x" * (MOST_BYTES + 1)), "more than"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 30_000, "more than"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 6_000, "more than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a/>", "not HTTP"),
        (b"SSH-2.0-router\r\n\r\n", "not HTTP"),
        (b"", "not HTTP"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_hostile_description_is_refused_with_what_is_wrong(answer: bytes, said: str) -> None:
    async with Igd(raw={"description": answer}) as igd:
        fault = await fault_of(igd)
        assert fault.kind is MappingFault.REFUSED
        assert said in str(fault)


@pytest.mark.usefixtures("patient")
async def test_an_answer_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanging, "EXCHANGE_S", 0.2)
    async with Igd(silent=True) as igd:
        assert "came within" in str(await fault_of(igd))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("address", ["", "0.0.0.0", "router", "::1", "1.2.3.4.5"])
async def test_a_router_without_an_address_of_its_own_is_no_use(address: str) -> None:
    async with Igd(external_host=address) as igd:
        fault = await fault_of(igd)
        assert (fault.kind, "behind another router" in str(fault)) == (MappingFault.DOUBLE_NAT, True)


async def test_a_port_that_is_none_is_no_answer() -> None:
    raw = {
        "AddAnyPortMapping": http(
            "<AddAnyPortMappingResponse><NewReservedPort>0</NewReservedPort></AddAnyPortMappingResponse>"
        )
    }
    async with Igd(service=IP2, raw=raw) as igd:
        gateway = Gateway(Url(LOOPBACK, igd.port, "/control"), IP2, LOOPBACK)
        with pytest.raises(BadAnswer, match="no port"):
            await on_trio(lambda: gateway.add_any(4_327, 4_327, 0))


@pytest.mark.parametrize("document", ["<a>" * (MOST_DEPTH + 1), "<a>" + "<b/>" * MOST_ELEMENTS + "</a>"])
def test_deep_and_wide_xml_is_refused(document: str) -> None:
    with pytest.raises(BadAnswer, match="too many elements"):
        parsed(document.encode())


def test_a_url_has_no_login_no_spaces_and_no_other_scheme() -> None:
    for text in ("http://a@10.0.0.1/", "http://10.0.0.1/a b", "ftp://10.0.0.1/", "http://10.0.0.1:0x/", "//10.0.0.1/"):
        with pytest.raises(BadAnswer):
            url_at("10.0.0.1", text)
    assert url_at("10.0.0.1", "http://10.0.0.1") == Url("10.0.0.1", 80, "/")


def test_the_default_gateway_is_that_of_the_routing_table(tmp_path: Path) -> None:
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    )
    assert default_gateways(table) == {"192.168.2.1"}
    assert default_gateways(tmp_path / "missing") is None
    table.write_text("Iface\nrubbish\n")
    assert default_gateways(table) is None


def test_where_the_gateway_is_unknown_only_private_addresses_may_answer() -> None:
    lan = Lan((), (SSDP,), None)
    assert lan.may_answer("192.168.1.1")
    assert not any(map(lan.may_answer, ("8.8.8.8", "127.0.0.1", "0.0.0.0", "100.64.0.1")))
