"""Tells with which peers own keys sign, and have signed: they are known here, and no stranger keeps them waiting."""

from __future__ import annotations

from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part
from daemon.signing.ports import PeerStandings, SigningStore
from daemon.signing.store import reads as reading
from musig2.protocol.interface.effects import Outcome, SaveJoin, SaveOutcome


class Parties:
    """Follows the engine."""

    def __init__(self, *, store: SigningStore, roster: Roster, standings: PeerStandings) -> None:
        self._store = store
        self._roster = roster
        self._standings = standings

    def load(self) -> None:
        """The peers of signatures that are still stored."""
        for peer in self._store.read(reading.partner_peers):
            self._standings.partner(peer)

    def resume(self, entry: OpenRequest) -> None:
        """A request of an earlier run is in memory."""
        if not entry.unsolicited and entry.machine.outcome.live:
            self._standings.party(entry.request.id, self._roster.parties(entry))

    def note(self, part: Part) -> None:
        """Look at a stored part once."""
        entry = part.entry
        if part.created is not None or any(isinstance(save, SaveJoin) for save in part.saves):
            self.resume(entry)
        if not entry.machine.outcome.live and any(isinstance(save, SaveOutcome) for save in part.saves):
            self._ended(entry)

    def _ended(self, entry: OpenRequest) -> None:
        if entry.machine.outcome is Outcome.COMPLETE:
            for peer in filter(None, map(entry.machine.peer_of, entry.others)):
                self._standings.partner(peer)
        self._standings.over(entry.request.id)
