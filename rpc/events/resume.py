"""Where a reader of the event log starts, and whether it has missed events for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from config.text.plain_text import cleaned_body
from rpc.models.event_kinds import GAP, PROGRESS
from rpc.ports import EventSource, LoggedEvent


@dataclass(frozen=True, slots=True)
class Start:
    """Reading begins at `seq`; `gap` is the range (from, to) that is no longer available, if any."""

    seq: int
    gap: tuple[int, int] | None = None


def start_of(events: EventSource, from_seq: int | None, log_id: str | None) -> Start:
    """Where to start for a follower that wants `from_seq` of the log `log_id`.

    None is from now, 0 or 1 the oldest kept. A follower of another log, or one ahead of this log, starts from now and
    has to read the lists again.
    """
    oldest, following = events.oldest_seq, events.next_seq
    if from_seq is None:
        return Start(following)
    if (log_id is not None and log_id != events.log_id) or from_seq > following:
        return Start(following, (1, max(1, following - 1)))
    if from_seq <= 1:
        return Start(oldest)
    if from_seq < oldest:
        return Start(oldest, (from_seq, oldest - 1))
    return Start(from_seq)


def event_json(event: LoggedEvent) -> bytes:
    """An event as clients see it."""
    told = {"seq": event.seq, "event": event.event, "time": event.time, "data": event.data}
    return cleaned_body(orjson.dumps(told))


def gap_json(gap: tuple[int, int], now_ms: int) -> bytes:
    """The notification that something is missing."""
    return _unstored(GAP, now_ms, {"from": gap[0], "to": gap[1]})


def progress_json(next_seq: int, now_ms: int) -> bytes:
    """The notification that nothing was missed up to `next_seq`, though nothing was sent."""
    return _unstored(PROGRESS, now_ms, {"nextSeq": next_seq})


def _unstored(name: str, now_ms: int, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"event": name, "time": now_ms, "data": data})
