"""Posts events to webhooks, one at a time and in order, and repeats each until it is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from daemon.tasks import BackgroundTasks
from daemon.webhooks.hooks import Webhook, Webhooks
from daemon.webhooks.places import Places
from daemon.webhooks.post import Poster, Signing, secret_of, signature_of
from rpc.caller import Caller
from rpc.events.filter import Selection
from rpc.events.resume import event_json, gap_json, start_of
from rpc.models.events import EventFilter
from rpc.ports import Followed

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
_PAGE: Final = 200

log = structlog.get_logger("musigd.webhooks")


@dataclass(slots=True)
class _Following:
    """A webhook and its task. `problem`: why deliveries are not accepted, and since when (ms)."""

    hook: Webhook
    task: asyncio.Task[None]
    problem: str | None = None
    since: int | None = None


class Deliveries:
    """The active webhooks.

    `caller_of` gives the caller of a webhook's token with its current rights, None once it has ended: then nothing is
    posted, and the webhook is deleted. A stop in the middle repeats the last event, so a receiver must go by `seq`.
    """

    def __init__(
        self,
        hooks: Webhooks,
        identity: Signing,
        caller_of: Callable[[str], Caller | None],
        followed: Followed,
        *,
        places: Places,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self.hooks = hooks
        self._events = hooks.events
        self._clock = hooks.clock
        self._identity = identity
        self._caller_of = caller_of
        self._followed = followed
        self._first_pause_s = first_pause_s
        self.places = places
        self._poster = Poster(places)
        self._tasks = BackgroundTasks("webhooks")
        self._at_work: dict[bytes, _Following] = {}

    async def start(self) -> None:
        """Continue each webhook where it stopped."""
        for hook in self.hooks.all():
            self.follow(hook)

    async def stop(self) -> None:
        """Stop all."""
        await self._tasks.stop()
        await self._poster.close()

    def follow(self, hook: Webhook) -> None:
        """Start one."""
        task = self._tasks.once(hook.hook_id.hex(), self._again_and_again(hook))
        self._at_work[hook.hook_id] = _Following(hook, task)

    def drop(self, hook_id: bytes) -> None:
        """Stop one."""
        following = self._at_work.pop(hook_id, None)
        if following is not None:
            following.task.cancel()

    def problem(self, hook_id: bytes) -> tuple[str, int] | None:
        """Why its deliveries are not accepted, and since when (ms)."""
        following = self._at_work.get(hook_id)
        if following is None or following.problem is None or following.since is None:
            return None
        return following.problem, following.since

    def secret(self, hook_id: bytes) -> str:
        """The secret with which its receiver checks signatures."""
        return secret_of(self._identity, hook_id)

    async def _again_and_again(self, hook: Webhook) -> None:
        news = asyncio.Event()
        stop_listening = self._events.subscribe(lambda burst: news.set())
        place, log_id = hook.next_seq, hook.log_id
        try:
            while True:
                news.clear()
                if self._caller_of(hook.token) is None and await self.hooks.ended_with_its_token(hook):
                    self._at_work.pop(hook.hook_id, None)
                    return
                place = await self._catch_up(hook, place, log_id)
                log_id = self._events.log_id
                if place >= self._events.next_seq:
                    await news.wait()
        finally:
            stop_listening()

    async def _catch_up(self, hook: Webhook, place: int, log_id: str) -> int:
        """Deliver a page of events, and before it the gap, if there is one; returns where to go on."""
        start = start_of(self._events, place, log_id)
        if start.gap is not None:
            if not await self._deliver(hook, gap_json(start.gap, self._clock.wall_ms()), None):
                return start.seq
            await self.hooks.told_to(hook.hook_id, start.seq)
        place = start.seq
        narrow = None if hook.filter is None else EventFilter.model_validate(hook.filter, by_alias=True, by_name=False)
        for event in self._events.read(place, _PAGE):
            caller = self._caller_of(hook.token)
            if caller is None:
                return event.seq + 1
            selection = Selection(caller, self._followed, hook.events, narrow)
            if selection.takes(event):
                if not await self._deliver(hook, event_json(selection.shown(event)), event.seq):
                    return event.seq
                await self.hooks.told_to(hook.hook_id, event.seq + 1)
            place = event.seq + 1
        return place

    async def _deliver(self, hook: Webhook, body: bytes, seq: int | None) -> bool:
        """Post until it is taken; False when meanwhile the event is no longer kept, or its token has ended."""
        pause_s = self._first_pause_s
        following = self._at_work[hook.hook_id]
        while True:
            problem = await self._poster.post(hook.url, body, self._headers(hook, body, seq))
            if problem is None:
                following.problem = following.since = None
                return True
            if following.problem is None:
                following.since = self._clock.wall_ms()
                log.warning("webhook_not_taken", webhook=hook.hook_id.hex(), problem=problem)
            following.problem = problem
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if self._caller_of(hook.token) is None or (seq is not None and seq < self._events.oldest_seq):
                return False

    def _headers(self, hook: Webhook, body: bytes, seq: int | None) -> dict[str, str]:
        told = {
            "Musigd-Webhook": hook.hook_id.hex(),
            "Musigd-Log": self._events.log_id,
            "Musigd-Signature": signature_of(self.secret(hook.hook_id), self._clock.wall_ms(), body),
        }
        return told if seq is None else {**told, "Musigd-Seq": str(seq)}
