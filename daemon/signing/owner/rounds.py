"""Considers waiting requests again: after a reload, an unlock, a sweep, or a failure of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn

AT_ONCE = 8  # requests that are considered between two inputs
AGAIN_S = 5.0  # pause after a failure of the store: a full disk stays full for a while


class Reconsidering:
    """Puts the work into the inbox, a few requests at a time."""

    def __init__(self, *, inbox: Inbox, roster: Roster, consider: Callable[[Turn, OpenRequest], None]) -> None:
        self._inbox = inbox
        self._roster = roster
        self._consider = consider
        self._left: list[bytes] = []  # the rest of a round over all requests
        self._again: set[bytes] = set()  # requests that are considered again after a failure of the store

    @property
    def under_way(self) -> bool:
        """Whether a round is not over yet."""
        return bool(self._left)

    def begin(self) -> None:
        """Consider all requests in memory."""
        self._inbox.put(self._begin)

    def later(self, request: bytes) -> None:
        """Consider one request after a pause."""
        if request not in self._again:
            self._again.add(request)
            asyncio.get_running_loop().call_later(AGAIN_S, self._inbox.put, partial(self._once_more, request))

    def _begin(self, turn: Turn) -> None:
        self._left = [entry.request.id for entry in self._roster]
        self._some(turn)

    def _some(self, turn: Turn) -> None:
        """Consider a few: there may be ten thousand, and everything else waits for this thread."""
        some, self._left = self._left[:AT_ONCE], self._left[AT_ONCE:]
        for request in some:
            entry = self._roster.get(request)
            if entry is not None:
                self._consider(turn, entry)
        if self._left:
            self._inbox.put(self._some)

    def _once_more(self, request: bytes, turn: Turn) -> None:
        self._again.discard(request)
        entry = turn.wake(request)  # a request that could not be stored may have left memory
        if entry is not None:
            self._consider(turn, entry)
