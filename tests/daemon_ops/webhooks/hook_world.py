"""A server that takes deliveries, and the webhooks of an event log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from daemon.api.webhooks import WebhookMethods
from daemon.events import EventLog
from daemon.store import Store
from daemon.webhooks.deliveries import Deliveries
from daemon.webhooks.hooks import Webhooks
from daemon.webhooks.places import Places
from musig2.protocol.records.peers import PeerIdentity
from rpc.caller import Caller, owner
from tests.daemon_ops.ops_world import SettableClock

KEYS = [b"\x02" * 33, b"\x03" * 33]


@dataclass
class Receiver:
    """A server that notes what is posted, and answers with the statuses it is given, then with 200."""

    url: str = ""
    location: str = ""  # where a redirect points
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    refused: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.statuses.pop(0) if self.statuses else 200
        async with self.news:
            if status == 200:
                self.taken.append((dict(request.headers), body))
            else:
                self.refused += 1
            self.news.notify_all()
        return web.Response(status=status, headers={"Location": self.location or self.url})

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self.news:
            await self.news.wait_for(done)

    async def seqs(self, count: int) -> list[int]:
        await self.until(lambda: len(self.taken) >= count)
        return [orjson.loads(body).get("seq", -1) for _, body in self.taken]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback."""
    made = Receiver()
    application = web.Application()
    application.router.add_route("*", "/hook", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


async def event_log(store: Store) -> EventLog:
    log = EventLog(store=store, clock=SettableClock())
    await log.start()
    return log


@asynccontextmanager
async def delivering(
    store: Store,
    events: EventLog,
    caller_of: Callable[[str], Caller | None] = lambda token: owner(),
    *,
    private: bool = False,
) -> AsyncIterator[WebhookMethods]:
    """The webhooks of a daemon whose event log this is; `private`: the setting rpc.webhook_private_addresses."""
    hooks = Webhooks(store=store, clock=events._clock, events=events)
    identity = PeerIdentity(b"\x07" * 32)
    places = Places(private=private)
    deliveries = Deliveries(hooks, identity, caller_of, lambda token: (), places=places, first_pause_s=0.01)
    await deliveries.start()
    try:
        yield WebhookMethods(deliveries)
    finally:
        await deliveries.stop()


async def happen(store: Store, events: EventLog, *names: str, key: bytes = KEYS[0]) -> None:
    for name in names:
        await store.write(partial(events.append, name=name, data={}, keys=[key]))
    events.publish()
