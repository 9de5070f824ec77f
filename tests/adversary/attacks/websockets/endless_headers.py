"""Sockets with HTTP whose headers never end, requests for a page, and upgrades to what is none, one after the other."""

from __future__ import annotations

import trio

from tests.adversary.attacks.websockets import sockets
from tests.adversary.hostile import Crew
from tests.adversary.websockets import HEAD, UPGRADE

WEBSOCKET = True
SOCKETS = 6
ENDLESS = HEAD + b"X-Header: y\r\n" * 5_000
PAGE = HEAD + b"\r\n"
OTHER = UPGRADE.replace(b": 13", b": 99")


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def ask(stream: trio.SocketStream) -> None:
        await stream.send_all(crew.random.choice((ENDLESS, PAGE, OTHER)))
        crew.counted["asked"] += 1
        while await stream.receive_some(65_536):
            pass

    await sockets(crew, SOCKETS, ask)
