"""Response times of other signers: how long this daemon waited for them, not how long they waited for it."""

from __future__ import annotations

from pathlib import Path

from daemon.clock import SystemClock
from tests.signing.signing_world import World, announce, join, signatures

PAUSE_MS = 5_000


class MovedClock(SystemClock):
    """Real time, and what a test adds to it."""

    added_ms = 0

    def mono_ms(self) -> int:
        return super().mono_ms() + self.added_ms


async def test_the_time_a_signer_took_is_counted_with_its_completed_session(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.clock = clock = MovedClock()
    try:
        quick, slow = await world.grow(2)
        request = (await announce(quick, [quick, slow]))["requestId"]
        session = (await join(slow, request, autoAdvance=False))["sessionId"]
        await quick.until("session:ready", sessionId=session)
        await slow.until("session:ready", sessionId=session)
        clock.added_ms += PAUSE_MS
        await slow.call("startRound1", sessionId=session)
        await slow.call("startRound2", sessionId=session)
        assert await signatures(quick, request) == await signatures(slow, request)
        await world.book.until(slow.key, "completed")
        await world.book.until(quick.key, "completed")
        assert world.book.response_ms[slow.key] >= PAUSE_MS
    finally:
        await world.stop()
