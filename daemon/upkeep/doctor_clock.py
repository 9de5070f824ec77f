"""Checks of `musigd doctor`: problems that a running daemon reports, and timestamps of a wrong clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from config.locations import DATABASE_NAME
from daemon.errors import DaemonError
from daemon.host.own_socket import reasons_not_ready
from daemon.store.connection import inspect, open_unchanged
from daemon.upkeep.times_ahead import times_ahead
from musig2.protocol.records.checks import RecordLimits


def unready(socket_file: Path) -> Iterator[tuple[str, str]]:
    """(what, remedy) of each problem that a running daemon reports in /readyz; nothing if none answers."""
    for reason, remedy in reasons_not_ready(socket_file):
        yield f"The running daemon is not ready ({reason}).", remedy


def stored_times(datadir: Path, now_ms: int, limits: RecordLimits) -> Iterator[tuple[str, str]]:
    """(what, remedy) of what a wrong clock left behind in the database."""
    try:
        if inspect(datadir / DATABASE_NAME).is_new:
            return
        with closing(open_unchanged(datadir / DATABASE_NAME)) as conn:
            latest_ms = conn.execute("SELECT max(time) FROM events").fetchone()[0] or 0
            left = times_ahead(conn, now_ms, limits)
    except (DaemonError, sqlite3.Error):  # said by the check of the database
        return
    if latest_ms > now_ms + limits.skew_ms:
        yield (
            f"The newest event lies {(latest_ms - now_ms) // 1000} s ahead: the clock was ahead, or is behind now.",
            "Compare the clock with another (timedatectl); if it is right now, nothing has to be done.",
        )
    for problem in left:
        yield "A signed timestamp is in the future.", problem.remedy
