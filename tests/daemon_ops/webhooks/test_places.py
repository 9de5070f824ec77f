"""Webhooks reach the open internet and, where their URL says so, this machine; no private network, by no detour."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from daemon.errors import InvalidParam
from daemon.events import EventLog
from daemon.store import Store
from daemon.webhooks import post
from daemon.webhooks.places import PRIVATE, PROXIED, CheckedResolver, Places, PrivatePlace
from daemon.webhooks.post import Poster
from rpc.caller import owner
from rpc.models.events import CreateWebhook
from rpc.models.wire import NoParams
from tests.daemon_ops.webhooks.hook_world import Receiver, delivering, happen, receiving

INNER = [
    *("10.0.0.5", "172.16.3.4", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"),
    *("::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.5", "64:ff9b::a00:5", "2002:a00:5::1", "127.0.0.1"),
]


class Names:
    """What a name server says, one answer after the other; the last one again and again."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def getaddrinfo(self, host: str, port: int, family: int = 0, kind: int = 0) -> list[Any]:
        said = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, kind, socket.IPPROTO_TCP, "", (each, port))
            for each in said
        ]


@pytest.mark.parametrize("address", INNER)
async def test_name_that_leads_inside_is_not_resolved(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names([address]).getaddrinfo)
    with pytest.raises(PrivatePlace, match="private network"):
        await CheckedResolver(Places()).resolve("innocent.example", 443)


async def test_of_several_addresses_only_those_outside_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(["10.0.0.5", "93.184.215.14", "127.0.0.1"]).getaddrinfo)
    found = await CheckedResolver(Places()).resolve("innocent.example", 443)
    assert [each["host"] for each in found] == ["93.184.215.14"]


async def test_private_networks_are_reached_where_the_setting_says_so_and_loopback_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = ["192.168.1.1", "fd00::1", "127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "0.0.0.0"]
    monkeypatch.setattr(socket, "getaddrinfo", Names(inner).getaddrinfo)
    found = await CheckedResolver(Places(private=True)).resolve("home.example", 443)
    assert [each["host"] for each in found] == ["192.168.1.1", "fd00::1"]


@pytest.mark.parametrize("address", [each for each in INNER if each not in ("::1", "127.0.0.1")])
async def test_address_inside_is_refused_when_the_webhook_is_made(store: Store, events: EventLog, address: str) -> None:
    url = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    async with delivering(store, events) as service:
        with pytest.raises(InvalidParam, match="webhook_private_addresses"):
            await service.create_webhook(owner(), CreateWebhook(url=url))
    async with delivering(store, events, private=True) as service:
        assert (await service.create_webhook(owner(), CreateWebhook(url="https://192.168.1.1/"))).secret


async def test_behind_a_proxy_nothing_is_posted_or_looked_up_beyond_this_machine(
    store: Store, events: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(["93.184.215.14"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    poster = Poster(Places(only_here=True))
    try:
        said = [await poster.post(f"https://{host}/", b"{}", {}) for host in ("hook.example", "93.184.215.14")]
    finally:
        await poster.close()
    assert said == [PROXIED, PROXIED]
    assert names.asked == 0
    assert Places(only_here=True).refusal("localhost") is None


async def test_name_that_changes_its_address_leads_nowhere(
    store: Store, events: EventLog, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: first outside, then to the server that listens on this machine. Only the address counts."""
    names = Names(["192.0.2.1"], ["127.0.0.1"])
    port = int(receiver.url.split(":")[2].split("/")[0])
    poster = Poster(Places())
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    try:
        said = [await poster.post(f"https://rebind.example:{port}/hook", b"{}", {}) for _ in range(2)]
    finally:
        await poster.close()
    assert said == [PRIVATE, PRIVATE]
    assert names.asked == 2, "each connection asks once, and goes to what it was told"
    assert (receiver.taken, receiver.refused) == ([], 0)


async def test_numbers_that_mean_this_machine_are_no_names_of_others(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    poster = Poster(Places())
    try:
        assert await poster.post(f"https://0x7f.1:{port}/hook", b"{}", {}) == PRIVATE
        for host in ("2130706433", "127.1", "017700000001"):  # aiohttp takes them for no addresses
            assert await poster.post(f"https://{host}:{port}/hook", b"{}", {}) == "it cannot be reached"
    finally:
        await poster.close()
    assert (receiver.taken, receiver.refused) == ([], 0)


async def test_redirect_is_a_refusal_and_nobody_goes_where_it_points(
    store: Store, events: EventLog, receiver: Receiver
) -> None:
    async with receiving() as inner, delivering(store, events) as service:
        receiver.location = inner.url
        receiver.statuses = [301, 302, 303, 307, 308]
        await service.create_webhook(owner(), CreateWebhook(url=receiver.url))
        await happen(store, events, "session:ready")
        assert await receiver.seqs(1) == [1]
        assert receiver.refused == 5
        assert (inner.taken, inner.refused) == ([], 0)


async def test_receiver_that_never_answers_is_told_and_asked_again(
    store: Store, events: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT_S", 0.05)
    asked: list[str] = []
    twice, leave = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        asked.append(request.headers["Musigd-Seq"])
        if len(asked) == 2:
            twice.set()
        await leave.wait()
        return web.Response()

    application = web.Application()
    application.router.add_post("/", hang)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with delivering(store, events) as service:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await service.create_webhook(owner(), CreateWebhook(url=url))
        await happen(store, events, "session:ready")
        await twice.wait()
        (shown,) = (await service.list_webhooks(owner(), NoParams())).webhooks
    leave.set()
    await runner.cleanup()
    assert shown.problem == "no answer within 0.05 s"
    assert asked[:2] == ["1", "1"]
