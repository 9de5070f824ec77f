"""One turn of the engine: what the machines asked for, collected per request until it is committed.

A turn holds one `Part` per request it touched. All parts are one transaction; only if that fails are they tried one by
one, so that one request cannot make another fail.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.signer import Signer
from daemon.signing.store import writes as rows
from daemon.signing.store.fresh import rows_of_new
from daemon.signing.store.reads import RequestRows, StoredRequest
from daemon.signing.store.writes import SaveRequest
from musig2.protocol.interface.effects import (
    Blame,
    Effect,
    Emit,
    KeyConflict,
    Need,
    NeedJoin,
    NeedNonces,
    NeedPartials,
    Outcome,
    Save,
    SaveJoin,
    SaveMessage,
    SaveOutcome,
    SaveSession,
    Send,
    WipeNonces,
)
from musig2.protocol.interface.inputs import Input, Now, Restarted, SignerRefused
from musig2.protocol.wire.frames import Answer, Frame, Have

PARTIAL = 2
_SEQ_KINDS = {1: "nonce", 2: "partial", 3: "abort", 4: "done"}


class Told(Protocol):
    """What is told of parts inside their transaction."""

    def tell(self, conn: sqlite3.Connection, parts: Iterable[Part]) -> int:
        """Their events, and what goes on record; returns the seq of the last event, 0 for none."""


def commit(conn: sqlite3.Connection, parts: Sequence[Part], told: Told, now_ms: int) -> int:
    """Write everything of these parts; runs in the store's writer thread. Returns the seq of the last event."""
    rows.save_requests(conn, [part.created for part in parts if part.created is not None])
    batch = rows.SaveBatch(now_ms)
    for part in parts:
        batch.add(part.entry.request.id, part.saves, settled=part.settled)
    batch.write(conn)
    last = told.tell(conn, parts)
    for part in parts:
        for write in part.also:  # last: a stored answer contains the position of the event log after the change
            write(conn)
    return last


@dataclass(slots=True, eq=False)
class Part:
    """What one request asked for in this turn, in order."""

    entry: OpenRequest
    created: SaveRequest | None = None
    settled: bool = False
    joined: bool = False  # somebody joined
    outcomes: list[SaveOutcome] = field(default_factory=list)  # of `saves`
    saves: list[Save] = field(default_factory=list)
    events: list[Emit] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    notes: list[Blame | KeyConflict] = field(default_factory=list)
    contributions: list[tuple[int, SaveMessage]] = field(default_factory=list)  # with the monotonic time of their turn
    also: list[Callable[[sqlite3.Connection], None]] = field(default_factory=list)
    records: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)  # for the audit log, beside the events
    grounds: dict[tuple[str, bytes], Mapping[str, Any]] = field(
        default_factory=dict
    )  # of an event or record, for a key
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    failure: Exception | None = None  # why it could not be stored

    def new_rows(self) -> tuple[StoredRequest, RequestRows] | None:
        """The rows of a request that this part stores first, as long as it is open."""
        return None if self.created is None else rows_of_new(self.created, self.saves)

    @property
    def dirty(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.created or self.saves or self.events or self.also or self.records)

    @property
    def urgent(self) -> bool:
        """Whether this must be committed now: anything but contributions of others, and hints to peers."""
        if self.created or self.events or self.also or self.waiters or self.notes:
            return True
        return not all(map(_is_foreign, self.saves)) or not all(isinstance(s.frame, (Have, Answer)) for s in self.sends)

    @property
    def retractable(self) -> bool:
        """Whether this can be dropped without a trace if it is not stored, because nothing of it was sent.

        Not so once an own partial signature was made, which used its nonce, or there is a final signature, or earlier
        effects still have to be stored.
        """
        if self.entry.machine.save_retry.due_ms is not None:
            return False
        for save in self.saves:
            match save:
                case SaveMessage(own=True, seq=2) | SaveOutcome(outcome=Outcome.COMPLETE):
                    return False
                case _:
                    pass
        return bool(self.waiters) or any(isinstance(save, SaveJoin) and save.own for save in self.saves)

    @property
    def ends(self) -> bool:
        """Whether an attempt or the whole request ends here, which ends waits for a signature."""
        for save in self.saves:
            match save:
                case SaveOutcome(outcome=outcome) if not outcome.live:
                    return True
                case SaveSession(row=row) if not row.state.live:
                    return True
                case _:
                    pass
        return False

    def kinds(self) -> Iterator[str]:
        """Names of what is being saved; for crash points and the log."""
        if self.created is not None:
            yield "request"
        for save in self.saves:
            match save:
                case SaveJoin():
                    yield "join"
                case SaveMessage(seq=seq):
                    yield _SEQ_KINDS[seq]
                case SaveOutcome(outcome=outcome):
                    yield outcome.value
                case _:
                    pass


def _is_foreign(save: Save) -> bool:
    return isinstance(save, SaveMessage) and not save.own and save.seq <= 2


class Law(Protocol):
    """What stands before the signer port, and hears what became of own partial signatures: the owner's consent."""

    def refusal(self, need: Need, part: Part, attempt: int) -> SignerRefused | None: ...

    def joined(self, part: Part, key: bytes) -> None: ...

    def signed(self, part: Part, message: SaveMessage) -> None: ...

    def completed(self, part: Part) -> None: ...

    def committed(self, part: Part) -> None: ...

    def not_committed(self, part: Part) -> None: ...


class Turn:
    """Runs inputs to quiescence and collects what must be saved, sent and told."""

    def __init__(
        self, *, roster: Roster, signer: Signer, law: Law, now: Now, held: Mapping[bytes, Part] | None = None
    ) -> None:
        """`held`: parts of earlier turns that were not committed."""
        self.now = now
        self.held = bool(held)
        self.parts: dict[bytes, Part] = dict(held or {})
        self.broken: list[Part] = []  # machines that failed; no longer in memory
        # answers to peers that belong to no machine, and (with its id) the introduction of a request
        self.direct: list[tuple[bytes, Frame, bytes | None]] = []
        self._roster = roster
        self._signer = signer
        self._law = law

    @property
    def dirty(self) -> bool:
        """Whether there is anything to commit."""
        return any(part.dirty for part in self.parts.values())

    @property
    def urgent(self) -> bool:
        """Whether this turn must be committed now."""
        return any(part.urgent for part in self.parts.values())

    def part(self, entry: OpenRequest) -> Part:
        """This turn's part of that request."""
        part = self.parts.get(entry.request.id)
        if part is None:
            part = self.parts[entry.request.id] = Part(entry)
        return part

    def _joined(self, part: Part, effect: SaveJoin) -> None:
        part.saves.append(effect)
        part.joined = True
        if effect.own:
            self._roster.wanted(part.entry)
            self._law.joined(part, effect.join.record.pubkey)
        else:
            self._roster.link(part.entry, effect.join.record.peer)

    def _decided(self, part: Part, effect: SaveOutcome) -> None:
        part.saves.append(effect)
        part.outcomes.append(effect)
        if effect.outcome is Outcome.COMPLETE:
            self._law.completed(part)

    def wake(self, request: bytes) -> OpenRequest | None:
        """That request, loaded from the store if needed; None if it does not exist."""
        entry = self._roster.find(request)
        if entry is not None and not entry.resumed:
            self.feed(entry)
        return entry

    def feed_to(self, request: bytes, *inputs: Input) -> Part | None:
        """`feed` by request id; None if the request does not exist."""
        entry = self.wake(request)
        return None if entry is None else self.feed(entry, *inputs)

    def feed(self, entry: OpenRequest, *inputs: Input) -> Part:
        """Hand inputs to the machine, answer what it needs, and collect its effects."""
        part = self.part(entry)
        queue: deque[Input] = deque(inputs)
        if not entry.resumed:
            entry.resumed = True
            queue.appendleft(Restarted())
        try:
            while queue:
                effects = entry.machine.handle(queue.popleft(), self.now)
                answers = [answer for effect in effects if (answer := self._take(part, effect)) is not None]
                queue.extendleft(reversed(answers))
        except Exception:
            self._give_up(part)
            raise
        self._roster.rearm(entry, self.now.mono_ms)
        part.settled = entry.idle_since is not None
        return part

    def _give_up(self, part: Part) -> None:
        """The machine failed: drop what it did in this turn; it is rebuilt from the store."""
        request = part.entry.request.id
        self.parts.pop(request, None)
        self.direct = [answer for answer in self.direct if answer[2] != request]
        self._roster.drop(part.entry)
        self.broken.append(part)

    def _take(self, part: Part, effect: Effect) -> Input | None:
        match effect:
            case Emit():
                part.events.append(effect)
            case Send():
                part.sends.append(effect)
            case SaveMessage():
                self._contributed(part, effect)
            case SaveSession():
                part.saves.append(effect)
            case NeedJoin(attempt=attempt):
                return self._answer(part, effect, attempt)
            case NeedNonces() | NeedPartials():
                return self._answer(part, effect, self._roster.attempt_of(effect.session))
            case WipeNonces(session=session, key=key):
                self._signer.wipe(session, key)
            case Blame() | KeyConflict():
                part.notes.append(effect)
            case SaveJoin():
                self._joined(part, effect)
            case SaveOutcome():
                self._decided(part, effect)
            case _:
                part.saves.append(effect)
        return None

    def _contributed(self, part: Part, effect: SaveMessage) -> None:
        part.saves.append(effect)
        part.contributions.append((self.now.mono_ms, effect))
        if effect.own and effect.seq == PARTIAL:
            self._law.signed(part, effect)

    def _answer(self, part: Part, need: Need, attempt: int) -> Input | None:
        refused = self._law.refusal(need, part, attempt)
        return refused if refused is not None else self._signer.answer(need, part.entry.request, attempt)
