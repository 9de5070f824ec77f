"""One byte in each encrypted message: frames of the multiplexer that cost a hundred times what their size says."""

from __future__ import annotations

import struct

from tests.adversary.hostile import Crew, Hostile

WINDOW_UPDATE = struct.pack("!BBHII", 0, 1, 0, 1_000_001, 0)  # of a stream that does not exist
AT_ONCE = 20


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def dribble(peer: Hostile) -> None:
        noise = peer.connection.secured_conn.conn
        socket = noise.read_writer.read_write_closer
        while True:
            sealed = [noise.encrypt(bytes([byte])) for byte in WINDOW_UPDATE * AT_ONCE]
            await socket.write(b"".join(len(message).to_bytes(2, "big") + message for message in sealed))
            crew.counted["messages"] += len(sealed)

    await crew.all(dribble)
