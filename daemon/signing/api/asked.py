"""The list of requests to owners: those of known creators first, then the others, without the unwanted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final

from daemon.keys.errors import UnknownKey
from daemon.signing.api.pages import FIRST, KNOWN, known_position_of, position_of, that_fit
from daemon.signing.api.visible import Finder
from daemon.signing.store import reads as reading
from daemon.signing.store.unwanted import asked_of
from musig2.protocol.interface.effects import Outcome
from rpc import answers
from rpc.caller import Caller
from rpc.models.requests import FindSigningRequestsForMe

OPEN: Final = tuple(outcome.value for outcome in Outcome if outcome.live)
# Of a creator: whether it is pinned, a contact or a former co-signer, and its local reputation. On any thread.
StandingOf = Callable[[sqlite3.Connection, bytes], tuple[bool, int | None]]
ReadPage = Callable[[sqlite3.Connection], answers.RequestList]
Place = tuple[bool, int]  # whether it is in the first part of the list, and the number of the request


class Asked:
    """Pages of the requests that require a key of the caller's."""

    def __init__(self, finder: Finder, standing_of: StandingOf) -> None:
        self._finder = finder
        self._standing_of = standing_of

    def page(self, caller: Caller, params: FindSigningRequestsForMe) -> ReadPage:
        """A function that reads the page on any thread. Raises UnknownKey, and InvalidParam for a foreign cursor."""
        own = self._finder.keys_of(caller)
        keys = own if params.public_key is None else _one_of(own, params.public_key)
        waiting = params.state is None or params.state in OPEN
        after = known_position_of(params.cursor) if waiting else (False, position_of(params.cursor))

        def read(conn: sqlite3.Connection) -> answers.RequestList:
            creators = _Creators(conn, params, own, self._standing_of)
            places = _places(conn, params, keys, after, creators, known_first=waiting)
            found = list(islice(places, params.limit + 1))
            return self._shown(caller, conn, found, params.limit, creators)

        return read

    def _shown(
        self, caller: Caller, conn: sqlite3.Connection, found: list[Place], limit: int, creators: _Creators
    ) -> answers.RequestList:
        stored = reading.numbered(conn, [number for _, number in found])
        count = that_fit(stored, limit, lambda each: len(each.envelope))
        views = [self._finder.show(caller, conn, each) for each in stored[:count]]
        known = {view["creator"] for view in views if creators.knows(bytes.fromhex(view["creator"]))}
        shown: answers.RequestList = {"requests": views, "knownCreators": sorted(known)}
        if len(found) > count:
            first, number = found[count - 1]
            shown["nextCursor"] = f"{KNOWN if first else ''}{number}"
        return shown


class _Creators:
    """Which creators are known and pass the filters; each is looked up once per page."""

    def __init__(
        self, conn: sqlite3.Connection, params: FindSigningRequestsForMe, own: frozenset[bytes], standing_of: StandingOf
    ) -> None:
        self._conn = conn
        self._own = own
        self._standing_of = standing_of
        self._least = params.min_reputation
        self._only = None if params.creators is None else frozenset(map(bytes.fromhex, params.creators))
        self._seen: dict[bytes, tuple[bool, int | None]] = {}

    def knows(self, creator: bytes) -> bool:
        """An own key, a pinned one, a contact, or one that has signed with this daemon."""
        return creator in self._own or self._standing(creator)[0]

    def passes(self, creator: bytes) -> bool:
        """Whether the caller wants requests of this creator."""
        if self._only is not None and creator not in self._only:
            return False
        return not self._least or creator in self._own or (self._standing(creator)[1] or 0) >= self._least

    def _standing(self, creator: bytes) -> tuple[bool, int | None]:
        found = self._seen.get(creator)
        if found is None:
            found = self._seen[creator] = self._standing_of(self._conn, creator)
        return found


def _places(
    conn: sqlite3.Connection,
    params: FindSigningRequestsForMe,
    keys: frozenset[bytes],
    after: Place,
    creators: _Creators,
    *,
    known_first: bool,
) -> Iterator[Place]:
    """The places of the requests that pass, lazily and in order; only open ones of known creators come first."""

    def newest(before: int) -> Iterator[tuple[int, bytes]]:
        outcomes = OPEN if params.state is None else (params.state,)
        found = asked_of(conn, keys=keys, outcomes=outcomes, before=before, hidden=params.include_hidden)
        return ((number, creator) for number, creator in found if creators.passes(creator))

    in_first, before = after
    if not known_first:
        return ((False, number) for number, _ in newest(before))
    first = ((True, number) for number, creator in newest(before) if creators.knows(creator)) if in_first else ()
    others = newest(FIRST if in_first else before)
    return chain(first, ((False, number) for number, creator in others if not creators.knows(creator)))


def _one_of(own: frozenset[bytes], public_key: str) -> frozenset[bytes]:
    wanted = bytes.fromhex(public_key)
    if wanted not in own:
        raise UnknownKey(wanted)
    return frozenset({wanted})
