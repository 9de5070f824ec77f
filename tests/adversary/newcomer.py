"""Plays new honest creators: for each byte on the input a fresh peer with a fresh key sends one request.

    python -m tests.adversary.newcomer TARGET SEED

It answers with the id of the request and the time (monotonic) at which it began to dial, as JSON. Where its connection
breaks before the next byte comes, it dials again and repeats itself. Every second comes over a WebSocket, where the
victim takes them.
"""

from __future__ import annotations

import json
import random
import sys
import time

import trio

from musig2.protocol.wire.frame_codec import with_length
from tests.adversary import cores
from tests.adversary.forge import Forge
from tests.adversary.hostile import hostile, told
from tests.adversary.target import Target

AGAIN_S = 0.5


async def ask(forge: Forge, address: str, seed: bytes, frame: bytes, websocket: bool) -> None:
    """Send the request until this is cancelled."""
    while True:
        try:
            async with hostile(forge.target, address, seed, websocket=websocket) as peer:
                stream = await peer.stream("session", swallow=False)
                await stream.write(with_length(frame))
                while await stream.read(4096):
                    pass
        except Exception:
            await trio.lowlevel.checkpoint()
        await trio.sleep(AGAIN_S)


async def main(target: str, seed: str) -> None:
    """Send one request for each byte of the input."""
    forge = Forge(Target.loads(target), random.Random(f"newcomer {seed}"))
    for number in range(1, 250):
        secret = forge.key()
        signed = forge.request(secret)
        async with trio.open_nursery() as nursery:
            await told()
            print(json.dumps({"request": signed.id.hex(), "at": time.monotonic()}), flush=True)
            websocket = bool(forge.target.websocket and number % 2)
            address, seed_of_peer = forge.target.near(20, number), forge.chance.randbytes(32)
            nursery.start_soon(ask, forge, address, seed_of_peer, forge.frame(signed), websocket)
            await told()
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    cores.cross()
    trio.run(main, *sys.argv[1:])
