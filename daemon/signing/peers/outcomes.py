"""Effects of a turn beyond its request: reputation of other signers, and own keys that somebody else uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog

from daemon.signing.engine.turn import Part
from daemon.signing.peers.response_times import ResponseTimes
from daemon.signing.ports import SignerDirectory
from musig2.protocol.interface.effects import Blame, KeyConflict, Outcome, SaveOutcome, SaveSession, State
from musig2.protocol.records.peers import peer_text

log = structlog.get_logger("musigd.signing")


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
        if any(isinstance(save, SaveOutcome) and _completes(save) for save in part.saves):
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
