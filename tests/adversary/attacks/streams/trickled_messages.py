"""Large encrypted messages that arrive byte by byte: each byte wakes the reader, and no message is ever whole."""

from __future__ import annotations

import trio

from tests.adversary.hostile import Crew, Hostile

BYTES = 60_000
EVERY_S = 0.0002


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def trickle(peer: Hostile) -> None:
        noise = peer.connection.secured_conn.conn
        socket = noise.read_writer.read_write_closer
        while True:
            sealed = noise.encrypt(bytes(BYTES))
            for byte in len(sealed).to_bytes(2, "big") + sealed:
                await socket.write(bytes([byte]))
                crew.counted["bytes"] += 1
                await trio.sleep(EVERY_S)

    await crew.all(trickle)
