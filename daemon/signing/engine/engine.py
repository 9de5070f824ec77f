"""The engine loop: take what has arrived, run to quiescence, commit once, send one write per peer, then publish events.

    inbox, timers --take--> Turn (machines, signer) --save--> one transaction
                                                    --send--> one write per peer
                                                    --tell--> event log, whoever waits

What strangers ask comes after all own work, and gets a few milliseconds of a turn.
Nothing of a turn is sent or told before its transaction is committed; meanwhile the next turn's input gathers in the
inbox. A turn that only received contributions of others, with nothing to send or tell, waits for the next commit. If
the transaction fails, the parts of the turn are tried one by one; nothing of a part that fails alone is sent, and it is
undone in one of three ways: a new request is dropped; if nothing was sent because of it, the machine is rebuilt from
the store; anything else ends its attempt by `SaveFailed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog

from daemon.clock import Clock
from daemon.signing.engine.events import Teller
from daemon.signing.engine.inbox import Inbox, Work
from daemon.signing.engine.outgoing import Sender
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.signer import Signer
from daemon.signing.engine.turn import Law, Part, Turn, commit
from daemon.signing.errors import NotStored
from daemon.signing.limits import SigningLimits
from daemon.signing.ports import NO_CRASH_POINTS, CrashPoints, SessionEvents, SigningNetwork, SigningStore
from daemon.store import DatabaseGone
from musig2.protocol.interface.inputs import Input, Now, SaveFailed, Tick
from musig2.protocol.records.ids import session_id

log = structlog.get_logger("musigd.signing")

HOLD_MS = 50
ASKED_MS = 5  # of a turn, for what strangers ask; one item is always done
ASKED_BESIDE_MS = 1  # the same if the turn has own work
BROKEN_PAUSE_S = 1.0  # pause before a machine that failed is tried again


def _tick(entry: OpenRequest, turn: Turn) -> None:
    turn.feed(entry, Tick())


def _wake_up(request: bytes, turn: Turn) -> None:
    turn.wake(request)


class Follower(Protocol):
    """What the engine calls after each turn."""

    def committed(self, part: Part) -> None:
        """This part is stored and sent."""

    def unreachable(self, entry: OpenRequest, index: int) -> None:
        """A frame could not be handed to that signer's peer."""

    def not_committed(self, part: Part) -> None:
        """This part could not be stored, and was undone."""


class Engine:
    """Runs turns, one after another, in one task."""

    def __init__(
        self,
        *,
        store: SigningStore,
        events: SessionEvents,
        network: SigningNetwork,
        clock: Clock,
        inbox: Inbox,
        roster: Roster,
        signer: Signer,
        law: Law,
        teller: Teller,
        follower: Follower,
        limits: SigningLimits,
        crash_points: CrashPoints = NO_CRASH_POINTS,
    ) -> None:
        self._store = store
        self._events = events
        self._network = network
        self._clock = clock
        self._roster = roster
        self._signer = signer
        self._law = law
        self._teller = teller
        self._follower = follower
        self._limits = limits
        self._crash = crash_points
        self._inbox = inbox
        self._task: asyncio.Task[None] | None = None
        self._awaiting_turn: list[asyncio.Future[None]] = []
        self._held: dict[bytes, Part] = {}  # parts with only contributions of others, not committed yet
        self._held_until_ms = 0
        self._stored_events = 0  # the seq of the last event that is on the disk
        self._watchers: dict[bytes, set[asyncio.Future[None]]] = {}
        self.leaving: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # done at a stop: waits end
        self.turns = 0

    @property
    def waiting(self) -> int:
        """How much is in the inbox."""
        return len(self._inbox)

    def now(self) -> Now:
        """Both clocks, read once per turn."""
        return Now(self._clock.wall_ms(), self._clock.mono_ms())

    def start(self) -> None:
        """Start the loop."""
        self._task = asyncio.create_task(self._run(), name="signing engine")

    async def stop(self) -> None:
        """End after the current turn and the own work that is in the inbox by then."""
        task, self._task = self._task, None
        if task is None:
            return
        self._inbox.wake()
        await task
        for _ in range(self._inbox.own // self._limits.drain + 1):
            if self._inbox.own:
                await self._one_turn(last=True)

    def let_go(self) -> None:
        """End the waits for the end of an attempt."""
        if not self.leaving.done():
            self.leaving.set_result(None)

    def feed(self, request: bytes, *inputs: Input) -> None:
        """Feed inputs to that request's machine in the next turn; a signer port answers this way later."""
        self._inbox.put(lambda turn: turn.feed_to(request, *inputs))

    async def do(self, work: Callable[[Turn], Part | None]) -> None:
        """Run `work` in a turn and return when its part is committed, sent and told; raises what it raises."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def run(turn: Turn) -> None:
            try:
                part = work(turn)
            except Exception as error:  # noqa: BLE001  # goes to whoever asked
                done.set_exception(error)
                return
            if part is None:
                done.set_result(None)
            else:
                part.waiters.append(done)

        self._inbox.put(run)
        await done

    async def turned(self) -> None:
        """Return after the next turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaiting_turn.append(future)
        await future

    def ended(self, request: bytes) -> asyncio.Future[None]:
        """A future that is done when the request or an attempt of it ends; cancel it when it is no longer needed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        watchers = self._watchers.setdefault(request, set())
        watchers.add(future)
        future.add_done_callback(lambda done: self._unwatch(request, done))
        return future

    def _unwatch(self, request: bytes, future: asyncio.Future[None]) -> None:
        watchers = self._watchers.get(request, set())
        watchers.discard(future)
        if not watchers:
            self._watchers.pop(request, None)

    async def _run(self) -> None:
        while self._task is not None:
            await self._until_something()
            await self._one_turn(last=self._task is None)

    async def _one_turn(self, *, last: bool) -> None:
        try:
            await self._turn(last=last)
        except Exception:
            log.exception("a turn of the signing engine failed; its input is lost and will be sent again")
        awaiting, self._awaiting_turn = self._awaiting_turn, []
        for future in awaiting:
            if not future.done():
                future.set_result(None)

    async def _until_something(self) -> None:
        due = self._next_ms()
        await self._inbox.filled(None if due is None else max(0, due - self._clock.mono_ms()) / 1000)

    def _next_ms(self) -> int | None:
        due, held = self._roster.next_wakeup_ms(), self._held_until_ms if self._held else None
        return min((at for at in (due, held) if at is not None), default=None)

    async def _turn(self, *, last: bool = False) -> None:
        turn = self._new_turn(self._held)
        self._held = {}
        self._think(turn)
        self.turns += 1
        if not last and not turn.urgent and (not turn.parts or turn.now.mono_ms < self._hold(turn)):
            self._held = {request: part for request, part in turn.parts.items() if part.dirty}
            self._send(turn)
            return
        try:
            await self._finish(turn)
        finally:
            for part in turn.parts.values():
                self._fail(part)

    def _new_turn(self, held: dict[bytes, Part] | None = None) -> Turn:
        return Turn(roster=self._roster, signer=self._signer, law=self._law, now=self.now(), held=held)

    def _hold(self, turn: Turn) -> int:
        """Until when (monotonic) contributions of others, which cause no sends, may wait for the next commit."""
        if not turn.held:
            self._held_until_ms = turn.now.mono_ms + HOLD_MS
        return self._held_until_ms

    async def _finish(self, turn: Turn) -> None:
        kinds = self._kinds(turn)
        failed: list[Part] = []
        if turn.dirty:
            self._crash.reached("before_save", kinds)
            failed = await self._commit(turn)
            self._crash.reached("after_save", kinds)
        self._crash.reached("before_send", kinds)
        self._send(turn)
        self._crash.reached("after_send", kinds)
        self._tell(turn)
        self._crash.reached("after_tell", kinds)
        for part in failed:
            await self._undo(part)

    def _kinds(self, turn: Turn) -> frozenset[str]:
        watched = () if self._crash is NO_CRASH_POINTS else turn.parts.values()
        return frozenset(kind for part in watched for kind in part.kinds())

    def _think(self, turn: Turn) -> None:
        room = self._limits.drain
        for entry in self._roster.due(turn.now.mono_ms, room):
            self._run_one(partial(_tick, entry), turn)
            room -= 1
        while self._inbox.own and room > 0:
            self._run_one(self._inbox.take(), turn)
            room -= 1
        self._think_of_others(turn, busy=room < self._limits.drain)
        for part in turn.broken:
            self._fail(part)
            self._wake_later(part.entry.request.id)

    def _think_of_others(self, turn: Turn, *, busy: bool) -> None:
        """What strangers ask gets a short part of each turn, so that sessions under way do not wait."""
        until_ms = self._clock.mono_ms() + (ASKED_BESIDE_MS if busy else ASKED_MS)
        for _ in range(min(self._inbox.asked, self._limits.drain)):
            self._run_one(self._inbox.take_asked(), turn)
            if self._clock.mono_ms() >= until_ms:
                return

    def _run_one(self, work: Work, turn: Turn) -> None:
        """Run one input; its failure must not affect the others of the turn."""
        try:
            work(turn)
        except Exception:
            log.exception("an input failed; its request is rebuilt from the store")

    def _fail(self, part: Part) -> None:
        for waiter in part.waiters:
            if not waiter.done():
                waiter.set_exception(part.failure if isinstance(part.failure, DatabaseGone) else NotStored())

    async def _commit(self, turn: Turn) -> list[Part]:
        parts = [part for part in turn.parts.values() if part.dirty]
        try:
            await self._save(parts, turn.now.wall_ms)
        except Exception as error:  # noqa: BLE001  # whatever failed, nothing is stored, so nothing may be sent
            log.error("a commit failed; its requests are tried one by one", requests=len(parts), detail=str(error))
            return await self._commit_singly(turn, parts)
        return []

    async def _commit_singly(self, turn: Turn, parts: list[Part]) -> list[Part]:
        failed = []
        for part in parts:
            try:
                await self._save([part], turn.now.wall_ms)
            except Exception as error:  # noqa: BLE001  # as above
                log.error("a request cannot be stored", request=part.entry.request.id.hex(), detail=str(error))
                part.failure = error
                failed.append(turn.parts.pop(part.entry.request.id))
        lost = {part.entry.request.id for part in failed}
        turn.direct = [answer for answer in turn.direct if answer[2] not in lost]
        return failed

    async def _save(self, parts: list[Part], now_ms: int) -> None:
        last = await self._store.write(lambda conn: commit(conn, parts, self._teller, now_ms))
        self._stored_events = max(self._stored_events, last)

    async def _undo(self, part: Part) -> None:
        """Undo a part that was not stored: forget it if nothing was sent because of it, otherwise abort the attempt.

        If the abort cannot be stored either, the machine is rebuilt from the store.
        """
        self._fail(part)
        self._law.not_committed(part)
        self._follower.not_committed(part)
        if part.created is not None:
            self._roster.drop(part.entry)
            return
        if part.retractable:
            self._rebuild(part.entry)
            return
        turn = self._new_turn()
        turn.feed(part.entry, SaveFailed(tuple(part.saves), tuple(part.events)))
        if turn.dirty and await self._commit(turn):
            self._rebuild(part.entry)
        elif turn.dirty:
            self._send(turn)
            self._tell(turn)

    def _rebuild(self, entry: OpenRequest) -> None:
        """Drop a request from memory, with its secret nonces, and load it from the store again."""
        self._roster.drop(entry)
        request = entry.request
        for attempt in range(1, request.record.max_attempts + 1):
            for key in entry.own:
                self._signer.wipe(session_id(request.id, attempt), key)
        self._wake_later(request.id)

    def _wake_later(self, request: bytes) -> None:
        asyncio.get_running_loop().call_later(BROKEN_PAUSE_S, self._inbox.put, partial(_wake_up, request))

    def _send(self, turn: Turn) -> None:
        sender = Sender(network=self._network, mono_ms=turn.now.mono_ms, unreachable=self._follower.unreachable)
        sender.send(turn.direct, turn.parts.values())

    def _tell(self, turn: Turn) -> None:
        if any(part.events for part in turn.parts.values()):
            self._events.publish(self._stored_events)
        for request, part in turn.parts.items():
            watchers = self._watchers.get(request, ())
            for waiter in (*part.waiters, *watchers) if watchers and part.ends else part.waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._law.committed(part)
            self._follower.committed(part)
