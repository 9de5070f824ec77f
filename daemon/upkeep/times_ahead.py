"""Stored timestamps in the future, from when this machine's clock was ahead: what they delay, how long, what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from daemon.discovery.own import rows as own_rows
from daemon.discovery.own.rows import OwnRow
from daemon.signing.store.reads import own_requests_after
from musig2.protocol.records.checks import RecordLimits, is_ahead
from rpc.ports import Problem

REASON: Final = "clock_was_ahead"


def times_ahead(
    conn: sqlite3.Connection, now_ms: int, limits: RecordLimits, sees: Callable[[bytes], bool] = lambda key: True
) -> list[Problem]:
    """A problem for each own advertisement and open own request that peers refuse because it is from the future.

    `sees`: whether the caller may know of an own key.
    """
    return [*_advertisements(conn, now_ms, limits, sees), *_requests(conn, now_ms, limits, sees)]


def _advertisements(
    conn: sqlite3.Connection, now_ms: int, limits: RecordLimits, sees: Callable[[bytes], bool]
) -> Iterator[Problem]:
    for row in own_rows.load(conn, above_ms=now_ms + limits.skew_ms).values():
        until_ms = row.last_ts - limits.skew_ms
        if sees(row.pubkey):
            stands = is_ahead(row.ts, now_ms, limits)
            yield Problem(REASON, _standing(row, until_ms) if stands else _replaced(row, until_ms), until_ms)


def _standing(row: OwnRow, until_ms: int) -> str:
    what = "withdrawal" if row.withdrawn else "advertisement"
    return (
        f"The {what} of key {row.pubkey.hex()} lies ahead: the clock was ahead when it was made, or is behind now. "
        f"Nobody takes it before {_date(until_ms)}. The daemon makes it again within a minute when it runs and the key "
        "is neither locked nor paused: unlock it, resume it, or start the daemon."
    )


def _replaced(row: OwnRow, until_ms: int) -> str:
    return (
        f"While the clock was ahead, key {row.pubkey.hex()} signed for a time that comes at {_date(until_ms)}. What is "
        "in force was made again since, and peers take it. Let the daemon run at that time, with the key unlocked: it "
        "signs once more then, so that no copy of the older one counts."
    )


def _requests(
    conn: sqlite3.Connection, now_ms: int, limits: RecordLimits, sees: Callable[[bytes], bool]
) -> Iterator[Problem]:
    for request, creator, received_ms in own_requests_after(conn, now_ms + limits.skew_ms):
        until_ms = received_ms - limits.skew_ms
        if sees(creator):
            yield Problem(
                REASON,
                f"Request {request.hex()} lies ahead: the clock was ahead when it was announced, or is behind now. No "
                f"co-signer takes it before {_date(until_ms)}: call cancelSigningRequest, then announce it again.",
                until_ms,
            )


def _date(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError):
        return "the end of the calendar"
