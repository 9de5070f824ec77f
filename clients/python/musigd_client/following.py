"""Follows events across broken connections: every seq exactly once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from musigd_client.errors import CallFailed, CertificateRefused, NotAuthorised, ShuttingDown, Unreachable
from musigd_client.followed import GAP, PROGRESS, HeardEvent

if TYPE_CHECKING:
    from musigd_client.socket import SocketClient

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0


class _Place:
    """How far the follower has read. None: the seq of "now" is not known yet."""

    def __init__(self, from_seq: int | None, log_id: str | None) -> None:
        self.seq = from_seq
        self.log_id = log_id
        self.pause_s = _FIRST_PAUSE_S
        self.has_begun = False  # a subscription stood once

    def pause_after(self, problem: CallFailed) -> None:
        """Plan the next attempt; raises `problem` unless it passes: a daemon that stops, or asks to wait."""
        told = problem.data.get("retryAfterMs")
        if not self.has_begun or not (isinstance(problem, ShuttingDown) or isinstance(told, int)):
            raise problem
        self.pause_s = max(self.pause_s, told / 1000 if isinstance(told, int) else 0)

    def params(self) -> dict[str, Any]:
        known = {"fromSeq": self.seq, "logId": self.log_id}
        return {name: value for name, value in known.items() if value is not None}


async def follow(
    connect: Callable[[], Awaitable[SocketClient]],
    *,
    from_seq: int | None,
    log_id: str | None,
    params: Mapping[str, Any],
) -> AsyncIterator[HeardEvent]:
    """Yields events for ever; raises what the first connection raises, later only a refusal that does not pass."""
    place = _Place(from_seq, log_id)
    socket = await connect()
    while True:
        try:
            async for event in _heard(socket, place, params):
                yield event
        except Unreachable:
            pass  # connected again below
        except CallFailed as problem:
            place.pause_after(problem)
        finally:
            await socket.close()
        socket = await _connect_again(connect, place)


async def _heard(socket: SocketClient, place: _Place, params: Mapping[str, Any]) -> AsyncIterator[HeardEvent]:
    """Yields events until the connection ends, then raises Unreachable."""
    said = await socket.call("subscribe", **place.params(), **params)
    place.seq, place.log_id, place.has_begun = int(said["nextSeq"]), str(said["logId"]), True
    while True:
        event: HeardEvent = (await socket.next_notification())["result"]
        place.pause_s = _FIRST_PAUSE_S
        if event["event"] == PROGRESS:
            place.seq = max(place.seq, int(event["data"]["nextSeq"]))
        elif event["event"] == GAP:
            yield event
        elif event["seq"] >= place.seq:
            place.seq = event["seq"] + 1
            yield event


async def _connect_again(connect: Callable[[], Awaitable[SocketClient]], place: _Place) -> SocketClient:
    """Try until the daemon is back. A token may be refused once: a restarting daemon writes its new cookie late."""
    refused = False
    while True:
        await asyncio.sleep(place.pause_s)
        place.pause_s = min(2 * place.pause_s, _LONGEST_PAUSE_S)
        try:
            return await connect()
        except CertificateRefused:
            raise
        except Unreachable:
            refused = False
        except NotAuthorised:
            if refused:
                raise
            refused = True
