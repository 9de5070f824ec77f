"""Calls that wait for something go on waiting while the daemon restarts: they only read, so they may be repeated.

A daemon that stops answers whoever waits with `shutting_down`; then nobody listens; then it is back, perhaps at another
port, certainly with another cookie.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from rpc.client.errors import CallFailed, Unreachable

WAITING: Final = frozenset({"getEvents", "getFinalSignature"})  # those that take waitMs
PAUSE_S: Final = 0.25


async def through_restarts(ask: Callable[[int], Awaitable[Any]], wait_ms: int) -> Any:
    """The answer of `ask(left_ms)`, asked again until `wait_ms` are over whenever the daemon is away.

    Raises what the last attempt raised. A token that is refused is asked with again only after the daemon was away: its
    new cookie may come a moment after its listener.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_ms / 1000
    left_ms, was_away = wait_ms, False
    while True:
        try:
            return await ask(left_ms)
        except (Unreachable, CallFailed) as problem:
            was_away = was_away or _is_away(problem)
            left_ms = int((until - loop.time()) * 1000)
            if left_ms <= 0 or not (_is_away(problem) or (was_away and _is_refused(problem))):
                raise
        await asyncio.sleep(min(PAUSE_S, left_ms / 1000))
        left_ms = max(0, int((until - loop.time()) * 1000))


def _is_away(problem: Unreachable | CallFailed) -> bool:
    return isinstance(problem, Unreachable) or problem.reason == "shutting_down"


def _is_refused(problem: Unreachable | CallFailed) -> bool:
    return isinstance(problem, CallFailed) and problem.reason == "unauthenticated"
