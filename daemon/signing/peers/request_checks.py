"""The expensive check of an incoming request: whether its aggregate keys follow from its keys.

A hundred keys cost milliseconds, and a stranger may send any number of such lists. One thread does it, one request at a
time, party by party; libsecp256k1 runs without the interpreter's lock. Frames about a request wait until it is checked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from daemon.fair_queue import FairQueue
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from musig2.protocol.records.ids import session_ids
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import RequestProblem, aggregations, request_problem
from musig2.protocol.wire.frames import Frame, Signed

log = structlog.get_logger("musigd.signing")
AT_ONCE = 16  # points; up to so many are added right here, faster than a thread wakes up
MOST_EARLY = 256  # frames that wait for one request


@dataclass(slots=True, eq=False)
class Arriving:
    """A request under check, and the frames about it since."""

    peer: bytes
    signed: Signed[Request]
    take: Callable[[Turn, bytes, Frame], None]  # of each of `early`
    early: list[tuple[bytes, Frame]] = field(default_factory=list)

    @property
    def ids(self) -> frozenset[bytes]:
        """The id of the request and those of its sessions."""
        return frozenset((self.signed.id, *session_ids(self.signed.id, self.signed.record.max_attempts)))


Judged = Callable[[Arriving, RequestProblem | None], None]


def judge(request: Request) -> RequestProblem | None:
    """The check; runs in the thread."""
    return request_problem(request, once=True)


def is_dear(request: Request) -> bool:
    """Whether checking this request takes so long that the thread should do it."""
    return aggregations(request) > AT_ONCE


class RequestChecks:
    """Belongs to the event loop."""

    def __init__(self, *, limits: SigningLimits) -> None:
        self._waiting: FairQueue[Arriving] = FairQueue(per_party=limits.checks_per_party, total=limits.checks)
        self._by_id: dict[bytes, Arriving] = {}
        self._pool = ThreadPoolExecutor(1, "request checks")
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many requests wait or are under check."""
        return len(self._waiting) + (self._task is not None)

    async def stop(self) -> None:
        """End after the check under way; what waits is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def check(self, party: bytes, arriving: Arriving, judged: Judged) -> Arriving | None:
        """Check it when its turn comes, and tell `judged`. What found no room is returned: this one, or another."""
        lost = self._waiting.put(party, arriving)
        if lost is not arriving:
            self._by_id.update(dict.fromkeys(arriving.ids, arriving))
        if lost is not None:
            self._forget(lost)
        if self._task is None and self._waiting:
            self._task = asyncio.create_task(self._run(judged), name="request checks")
        return lost

    def keeps(self, about: bytes, peer: bytes, frame: Frame) -> bool:
        """Whether that request (or session) is under check; then the frame waits for it, or is dropped."""
        arriving = self._by_id.get(about)
        if arriving is not None and len(arriving.early) < MOST_EARLY:
            arriving.early.append((peer, frame))
        return arriving is not None

    async def _run(self, judged: Judged) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                arriving = self._waiting.take()
                problem = await loop.run_in_executor(self._pool, judge, arriving.signed.record)
                self._forget(arriving)
                judged(arriving, problem)
        finally:
            self._task = None

    def _forget(self, arriving: Arriving) -> None:
        for one in arriving.ids:
            if self._by_id.get(one) is arriving:
                del self._by_id[one]
