"""The local reputation of other signers: only what this daemon saw itself.

score = 100 * good / (good + 10 * bad + 2), where good is the number of completed sessions and bad the number of proofs
of misbehaviour, both halved every 30 days. So one completed session gives 33, ten give 83, a hundred 98; one proof
outweighs ten sessions; without evidence there is no score; and old evidence fades towards 0. A session that timed out
or was aborted is counted and shown but changes no score: absence is not a failure.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from daemon.discovery.directory.statements import signer_subject
from daemon.discovery.limits import DAY_MS
from musig2.protocol.records.field_rules import SCHEMES

HALF_LIFE_MS = 30 * DAY_MS
EPOCH_MS = 1_704_067_200_000  # 2024-01-01; weights are scaled from here, which a float holds for eighty years
LARGEST_POWER = 1_000.0  # a clock that is a century ahead must not cause an overflow
BAD_WEIGHT = 10.0
PRIOR = 2.0
RESPONSE_SHARE = 0.2  # of the newest response time in the moving average


class SessionOutcome(StrEnum):
    """How a session with another signer ended, seen from here."""

    COMPLETED = "completed"
    FAILED = "failed"  # with a proof against that signer
    ABORTED = "aborted"  # it was absent, or ended the session


@dataclass(frozen=True, slots=True)
class Reputation:
    """The evidence about one key, and the score made of it. `response_ms` is None while nothing was measured."""

    score: int
    completed: int
    failed: int
    aborted: int
    response_ms: int | None


def growth(now_ms: int) -> float:
    """The factor for evidence of this moment; it grows, so that older evidence need not be scaled down."""
    return float(2.0 ** min((now_ms - EPOCH_MS) / HALF_LIFE_MS, LARGEST_POWER))


def record(
    conn: sqlite3.Connection, pubkey: bytes, outcome: SessionOutcome, response_ms: int | None, now_ms: int
) -> None:
    """Add one observation; call inside a write."""
    good = growth(now_ms) if outcome is SessionOutcome.COMPLETED else 0.0
    bad = growth(now_ms) if outcome is SessionOutcome.FAILED else 0.0
    counts = tuple(int(outcome is kind) for kind in SessionOutcome)
    conn.execute(
        "INSERT INTO reputation"
        " (pubkey, completed, failed, aborted, good_weight, bad_weight, response_ms, at_ms, ts, seq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pubkey) DO UPDATE SET"
        " completed = completed + excluded.completed, failed = failed + excluded.failed,"
        " aborted = aborted + excluded.aborted, good_weight = good_weight + excluded.good_weight,"
        " bad_weight = bad_weight + excluded.bad_weight, at_ms = excluded.at_ms,"
        " response_ms = coalesce(response_ms + ? * (excluded.response_ms - response_ms),"
        " excluded.response_ms, response_ms)",
        (pubkey, *counts, good, bad, response_ms, now_ms, *_line_of(conn, pubkey), RESPONSE_SHARE),
    )


def _line_of(conn: sqlite3.Connection, pubkey: bytes) -> tuple[int | None, int | None]:
    """Time and line of the advertisement of a key; a later one updates the row itself."""
    subjects = [signer_subject(scheme, pubkey) for scheme in SCHEMES]
    row = conn.execute("SELECT ts, seq FROM directory_log WHERE subject IN (?, ?) AND kind = 1", subjects).fetchone()
    return (row[0], row[1]) if row else (None, None)


def score_of(good_weight: float, bad_weight: float, now_ms: int) -> int:
    """The score of evidence as stored, 0 to 100."""
    good = good_weight / growth(now_ms)
    bad = bad_weight / growth(now_ms)
    return round(100 * good / (good + BAD_WEIGHT * bad + PRIOR))


def at_least(score: int, now_ms: int) -> tuple[float, float, float]:
    """Factors (a, b, c) such that a stored row reaches `score` when a * good_weight - b * bad_weight >= c."""
    share = max(0.0, score - 0.5) / 100
    return 1 - share, BAD_WEIGHT * share, PRIOR * share * growth(now_ms)


def reputation_of(row: tuple[int, int, int, float, float, float | None] | None, now_ms: int) -> Reputation | None:
    """From (completed, failed, aborted, good_weight, bad_weight, response_ms); None without evidence."""
    if row is None or row[0] is None:
        return None
    completed, failed, aborted, good, bad, response_ms = row
    response = None if response_ms is None else round(response_ms)
    return Reputation(score_of(good, bad, now_ms), completed, failed, aborted, response)


def of_key(conn: sqlite3.Connection, pubkey: bytes, now_ms: int) -> Reputation | None:
    """The evidence about one key, None where there is none."""
    query = "SELECT completed, failed, aborted, good_weight, bad_weight, response_ms FROM reputation WHERE pubkey = ?"
    return reputation_of(conn.execute(query, (pubkey,)).fetchone(), now_ms)


def keep(conn: sqlite3.Connection, pubkey: bytes) -> None:
    """A past session partner is never evicted from the directory."""
    subjects = [(signer_subject(scheme, pubkey),) for scheme in SCHEMES]
    conn.executemany("INSERT OR IGNORE INTO directory_kept (subject, why) VALUES (?, 'partner')", subjects)
