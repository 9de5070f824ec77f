"""Effects of a stored part beyond its request: reputation and standing of other signers, own keys used elsewhere."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog

from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part
from daemon.signing.ports import PeerStandings, SignerDirectory, SigningStore
from daemon.signing.store import reads as reading
from musig2.protocol.interface.effects import (
    Blame,
    KeyConflict,
    Outcome,
    SaveMessage,
    SaveOutcome,
    SaveSession,
    State,
)
from musig2.protocol.records.peers import peer_text

log = structlog.get_logger("musigd.signing")
_SESSIONS = 4_096  # sessions measured at a time; the oldest are dropped
_ROUNDS = (1, 2)  # the sequence numbers of nonces and partial signatures


class Outcomes:
    """Counts completed, aborted and failed sessions of other signers; pauses a key that somebody else joined with."""

    def __init__(self, *, discovery: SignerDirectory, pause: Callable[[bytes, str], Awaitable[Any]]) -> None:
        self._discovery = discovery
        self._pause = pause
        self._times = ResponseTimes()
        self._tasks: set[asyncio.Future[Any]] = set()

    async def stop(self) -> None:
        """Finish what is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def note(self, part: Part) -> None:
        """Count what a stored part shows; call once per part."""
        if not part.entry.through_others:
            for mono_ms, contribution in part.contributions:
                self._times.note(contribution, mono_ms)
        for note in part.notes:
            match note:
                case Blame(key=key, peer=peer, reason=reason):
                    log.warning("a signer broke the protocol", key=key.hex(), peer=peer_text(peer), reason=reason)
                    self._discovery.record_outcome(key, "failed")
                case KeyConflict():
                    pass
        self.note_conflicts(part)
        ended = [save.row for save in part.saves if isinstance(save, SaveSession) and not save.row.state.live]
        if any(map(_completes, part.outcomes)):
            signed = next((row.session for row in ended if row.state is State.COMPLETE), b"")
            self._count(part, part.entry.request.record.keys, "completed", self._times.take(signed))
        absent = {key for row in ended if row.state is State.ABORTED for key in row.missing}
        self._count(part, absent, "aborted", {})
        for row in ended:
            self._times.take(row.session)

    def note_conflicts(self, part: Part) -> None:
        """Pause the own keys of a part that are used elsewhere."""
        for note in part.notes:
            if isinstance(note, KeyConflict):
                peer = peer_text(note.peer)
                log.error("an own key is used elsewhere and is paused", key=note.key.hex(), peer=peer)
                self._spawn(self._pause(note.key, "key_conflict"))

    def _count(self, part: Part, keys: Collection[bytes], outcome: str, times_ms: Mapping[int, int]) -> None:
        """`times_ms`: how long each signer took, where that was measured."""
        index_of = {key: index for index, key in enumerate(part.entry.request.record.keys)}
        for key in keys:
            if key not in part.entry.own:
                self._discovery.record_outcome(key, outcome, times_ms.get(index_of[key]))

    def _spawn(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a key in conflict could not be paused", exc_info=task.exception())


def _completes(save: SaveOutcome) -> bool:
    """Whether the request becomes complete here; later turns of the broadcast repeat the outcome."""
    return save.outcome is Outcome.COMPLETE and save.turn == 0


class ResponseTimes:
    """Response times of other signers: from the own contribution to a round until theirs arrives.

    Time before the own contribution does not count, so an owner who starts rounds by hand makes no signer look slow.
    Measured on the monotonic clock; rounds under way when the daemon stops are not measured.
    """

    def __init__(self) -> None:
        self._came: OrderedDict[bytes, dict[tuple[int, int | None], int]] = OrderedDict()  # (round, signer; None: own)

    def note(self, save: SaveMessage, mono_ms: int) -> None:
        """A contribution was made here, or came in."""
        if save.seq not in _ROUNDS:
            return
        came = self._came.setdefault(save.session, {})
        signer = None if save.own else save.index
        if save.own or (save.seq, signer) not in came:
            came[save.seq, signer] = mono_ms  # the last of several own keys counts
        while len(self._came) > _SESSIONS:
            self._came.popitem(last=False)

    def take(self, session: bytes) -> Mapping[int, int]:
        """Milliseconds per signer index, the longer of both rounds; forgets the session."""
        came = self._came.pop(session, {})
        longest: dict[int, int] = {}
        for (seq, signer), mono_ms in came.items():
            own_ms = came.get((seq, None))
            if signer is not None and own_ms is not None:
                longest[signer] = max(longest.get(signer, 0), mono_ms - own_ms)
        return longest


class Parties:
    """Tells with which peers own keys sign, and have signed: they are known, and no stranger delays them."""

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
        if part.created is not None or part.joined:
            self.resume(entry)
        if part.outcomes and not entry.machine.outcome.live:
            self._ended(entry)

    def _ended(self, entry: OpenRequest) -> None:
        if entry.machine.outcome is Outcome.COMPLETE:
            for peer in filter(None, map(entry.machine.peer_of, entry.others)):
                self._standings.partner(peer)
        self._standings.over(entry.request.id)
