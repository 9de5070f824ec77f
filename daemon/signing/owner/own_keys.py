"""Applies locks, pauses and unlocks of own keys to the requests in memory."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.declines import Declines
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

    def on_unlock(self) -> None:
        """Locked keys became usable: send the declines that waited for them, and consider what waits."""
        self._inbox.put(self._decline_misfits)
        self._consent.consider_all()

    def _decline_misfits(self, turn: Turn) -> None:
        for entry in self._roster:
            self._declines.misfits(turn, entry)
