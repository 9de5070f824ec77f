"""RPC methods that keep unwanted requests out of an owner's lists: dismissRequest, muteCreator and related ones.

Peers are not told, and nothing is refused for good: a join or an unmute brings a request back.
"""

from __future__ import annotations

import sqlite3

from daemon.clock import Clock
from daemon.errors import InvalidParam
from daemon.signing.api.errors import AlreadyJoined
from daemon.signing.api.visible import Finder
from daemon.signing.peers.mutes import Mutes
from daemon.signing.ports import SessionEvents, SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store import unwanted
from musig2.protocol.records.ids import session_id
from rpc.caller import Caller
from rpc.models import requests as wire
from rpc.models.wire import NoParams
from rpc.ports import Once


class UnwantedMethods:
    """Handlers named as the API's methods in snake_case. For a token bound to keys, they act on those keys only."""

    def __init__(
        self, *, store: SigningStore, events: SessionEvents, clock: Clock, finder: Finder, mutes: Mutes
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._finder = finder
        self._mutes = mutes

    async def dismiss_request(
        self, caller: Caller, params: wire.DismissRequest, once: Once | None = None
    ) -> wire.Dismissed:
        """Take a request out of the caller's lists, or bring it back."""
        request = bytes.fromhex(params.request_id)
        self._finder.stored(caller, request)
        asked = frozenset(self._finder.request(request).record.keys)
        keys = sorted(asked & self._finder.keys_of(caller))
        if params.dismissed and self._store.read(lambda conn: unwanted.has_own_join(conn, request)):
            raise AlreadyJoined
        answer = wire.Dismissed(request_id=params.request_id, dismissed=params.dismissed)

        def change(conn: sqlite3.Connection) -> None:
            if not params.dismissed:
                unwanted.bring_back(conn, request, keys)
            else:
                unwanted.dismiss(conn, request, keys)
            self._tell_dismissed(conn, request, keys, dismissed=params.dismissed)
            if once is not None:
                once.keep(conn, answer)

        await self._store.write(change)
        self._events.publish()
        return answer

    def _tell_dismissed(self, conn: sqlite3.Connection, request: bytes, keys: list[bytes], *, dismissed: bool) -> None:
        attempt = max((join.attempt for join in reading.joins(conn, request)), default=1)
        self._events.append(
            conn,
            "signing-request:dismissed",
            {"dismissed": dismissed},
            keys=keys,
            request_id=request,
            session_id=session_id(request, attempt),
            attempt=attempt,
        )

    async def mute_creator(self, caller: Caller, params: wire.MuteCreator, once: Once | None = None) -> wire.Muted:
        """Take no more requests of a creator, and hide those that are here."""
        creator = bytes.fromhex(params.public_key)
        if creator in self._finder.keys_of(caller):
            raise InvalidParam("publicKey", "is an own key; name the key of another creator")
        return await self._set(caller, creator, once, muted=True)

    async def unmute_creator(self, caller: Caller, params: wire.MuteCreator, once: Once | None = None) -> wire.Muted:
        """Take requests of a creator again."""
        return await self._set(caller, bytes.fromhex(params.public_key), once, muted=False)

    async def _set(self, caller: Caller, creator: bytes, once: Once | None, *, muted: bool) -> wire.Muted:
        keys = None if caller.keys is None else sorted(self._finder.keys_of(caller))
        answer = wire.Muted(public_key=creator.hex(), muted=muted)

        def change(conn: sqlite3.Connection) -> None:
            if muted:
                unwanted.mute(conn, creator, [unwanted.EVERY_KEY] if keys is None else keys, self._clock.wall_ms())
            else:
                unwanted.unmute(conn, creator, keys)
            data = {"publicKey": creator.hex(), "muted": muted}
            self._events.append(conn, "creator:muted", data, keys=keys or ())
            if once is not None:
                once.keep(conn, answer)

        await self._store.write(change)
        self._mutes.load()
        self._events.publish()
        return answer

    async def list_muted_creators(self, caller: Caller, params: NoParams) -> wire.MutedList:
        """Whom the caller's keys have muted, oldest first."""
        found = []
        for creator, keys in self._store.read(unwanted.muted).items():
            seen = {key: since for key, since in keys.items() if key == unwanted.EVERY_KEY or caller.sees(key)}
            if seen:
                whose = None if unwanted.EVERY_KEY in seen else tuple(key.hex() for key in sorted(seen))
                since = min(seen.values())
                found.append(wire.MutedCreator(public_key=creator.hex(), since=since, for_public_keys=whose))
        return wire.MutedList(creators=tuple(found))
