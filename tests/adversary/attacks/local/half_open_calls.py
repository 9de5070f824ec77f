"""Far more sockets than may be open at a time, each with a request that never ends: heads, bodies, unread answers."""

from __future__ import annotations

import trio

from tests.adversary.attacks.local import callers
from tests.adversary.hostile import Crew

SOCKETS = 5_000
EVERY_S = 0.5
HEAD = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\n"
BEGINNINGS = (
    b"",
    HEAD,
    HEAD + b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200,
)


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def crawl(stream: trio.SocketStream) -> None:
        await stream.send_all(crew.random.choice(BEGINNINGS))
        crew.counted["begun"] += 1
        while True:
            await trio.sleep(EVERY_S)
            await stream.send_all(b"x")

    await callers(crew, SOCKETS, crawl)
