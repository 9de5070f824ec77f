"""Applies locks, pauses, unlocks and deletions of own keys to the requests in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.declines import Declines
from daemon.signing.store.retention import delete_request
from musig2.protocol.interface.effects import Emit
from musig2.protocol.interface.inputs import OwnerAbort


class OwnKeys:
    """To be called when keys are locked, paused or unlocked."""

    def __init__(self, *, inbox: Inbox, roster: Roster, declines: Declines, consent: Consent) -> None:
        self._inbox = inbox
        self._roster = roster
        self._declines = declines
        self._consent = consent

    def on_locked(self, keys: Sequence[bytes] | None = None) -> None:
        """These own keys (None: all) are locked or paused: end their sessions and wipe their secret nonces."""
        self._inbox.put(lambda turn: self._lock(turn, keys))

    def _lock(self, turn: Turn, keys: Sequence[bytes] | None) -> None:
        for entry in self._roster:
            held = entry.own if keys is None else entry.own.intersection(keys)
            live = {view.row.key for view in entry.machine.session_views() if view.state.live}
            for key in held & live:
                turn.feed(entry, OwnerAbort(key, "locked"))

    def on_deleted(self, key: bytes) -> None:
        """This own key is gone: requests that nobody else here is needed for go with it, the others forget it."""
        self._inbox.put(lambda turn: self._deleted(turn, key))

    def _deleted(self, turn: Turn, key: bytes) -> None:
        for entry in self._roster:
            if key not in entry.own or not entry.machine.outcome.live:
                continue
            if any(row.key == key for row in entry.machine.latest_rows()):  # a join was under way meanwhile
                turn.feed(entry, OwnerAbort(key, "locked"))
            elif entry.own == {key}:
                let_go(turn, entry, self._roster)
            else:
                self._roster.drop(entry)
                self._inbox.put(partial(_load_again, entry.request.id))

    def on_unlock(self) -> None:
        """Locked keys became usable: send the declines that waited for them, and consider what waits."""
        self._inbox.put(self._decline_misfits)
        self._consent.consider_all()

    def _decline_misfits(self, turn: Turn) -> None:
        for entry in self._roster:
            self._declines.misfits(turn, entry)


def let_go(turn: Turn, entry: OpenRequest, roster: Roster) -> None:
    """Delete a request that no own key has joined, and tell clients."""
    request = entry.request.id
    part = turn.part(entry)
    part.events.append(Emit("signing-request:dropped", request, None, None, tuple(sorted(entry.own))))
    part.also.append(partial(delete_request, request=request))
    roster.drop(entry)


def _load_again(request: bytes, turn: Turn) -> None:
    turn.wake(request)
