"""Calls and WebSockets without a token, with a wrong one, from a foreign page, one after the other."""

from __future__ import annotations

from itertools import cycle

import trio

from tests.adversary.attacks.local import callers
from tests.adversary.hostile import Crew

SOCKETS = 24
HOST, JSON = "Host: localhost\r\n", "Content-Type: application/json\r\n"
WRONG = f"Authorization: Bearer mt_{'0' * 64}\r\n"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
BODY = "Content-Length: 20000\r\n\r\n" + "[" * 20_000
REQUESTS = (
    f"POST /rpc HTTP/1.1\r\n{HOST}{JSON}{BODY}",
    f"POST /rpc HTTP/1.1\r\n{HOST}{JSON}{WRONG}{BODY}",
    f"GET /ws HTTP/1.1\r\n{HOST}{UPGRADE}\r\n",
    f"GET /ws HTTP/1.1\r\n{HOST}{UPGRADE}{WRONG}\r\n",
    f"GET /ws HTTP/1.1\r\n{HOST}Origin: http://elsewhere.example\r\n{UPGRADE}\r\n",
    "GET /livez HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
    f"GET /{'x' * 4_000} HTTP/1.1\r\n{HOST}\r\n",
)


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def ask(stream: trio.SocketStream) -> None:
        for request in cycle(REQUESTS):
            await stream.send_all(request.encode())
            crew.counted["asked"] += 1
            crew.counted["answers"] += 1
            if not await stream.receive_some(65_536):
                return

    await callers(crew, SOCKETS, ask)
