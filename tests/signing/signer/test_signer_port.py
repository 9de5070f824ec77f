"""A signer that answers later, as a wallet that keeps its key outside the daemon will."""

from __future__ import annotations

import asyncio
from typing import Any

from daemon.signing.engine.signer import LocalSigner
from musig2.protocol.interface.effects import Need
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed
from tests.signing.signing_world import Daemon, World, announce, join, signatures


class LateSigner:
    """Answers every need a moment later, through the engine."""

    def __init__(self, daemon: Daemon, delay_s: float) -> None:
        self._daemon = daemon
        self._delay_s = delay_s
        self._inside = LocalSigner(
            keystore=daemon.keystore, identity=daemon.identity, clock=daemon.clock, addrs=lambda: ()
        )
        self.asked = 0

    def answer(self, need: Need, request: Signed[Request], attempt: int) -> None:
        self.asked += 1
        asyncio.get_running_loop().call_later(self._delay_s, self._answer, need, request, attempt)

    def _answer(self, need: Need, request: Signed[Request], attempt: int) -> None:
        self._daemon.service.engine.feed(request.id, self._inside.answer(need, request, attempt))

    def wipe(self, session: bytes, key: bytes) -> None:
        self._inside.wipe(session, key)

    def wipe_old(self) -> int:
        return self._inside.wipe_old()


async def with_late_signer(daemon: Daemon, **settings: Any) -> LateSigner:
    await daemon.stop()
    daemon.signer_of = lambda own: LateSigner(own, 0.02)
    await daemon.start()
    assert isinstance(daemon.signer, LateSigner)
    return daemon.signer


async def test_a_signer_that_answers_later_signs_too(world: World) -> None:
    daemons = await world.grow(3)
    signer = await with_late_signer(daemons[2])
    request = (await announce(daemons[0], daemons))["requestId"]
    await join(daemons[1], request)
    await daemons[2].until("signing-request:received", requestId=request)
    await daemons[2].call("joinSigningRequest", requestId=request, publicKey=daemons[2].key.hex())
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)
    assert signer.asked == 3
