"""What `musigd doctor` hears from a running daemon, its clock against those of peers above all, and stored times."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Final

import orjson

from config.locations import DATABASE_NAME
from daemon.errors import DaemonError
from daemon.host.unix_http import UnixHttpConnection
from daemon.store.connection import inspect, open_unchanged
from daemon.upkeep.times_ahead import times_ahead
from musig2.protocol.records.checks import RecordLimits

PATIENCE_S: Final = 5.0


def unready(socket_file: Path) -> Iterator[tuple[str, str]]:
    """(what, remedy) of each reason for which a running daemon says that it is not ready; nothing if none answers."""
    try:
        with closing(UnixHttpConnection(socket_file, PATIENCE_S)) as connection:
            connection.request("GET", "/readyz")
            answer = orjson.loads(connection.getresponse().read())
        for problem in answer["problems"]:
            yield f"The running daemon is not ready ({problem['reason']}).", str(problem["remedy"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return  # whether one runs is another check's business


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
        yield "A time that was signed lies ahead.", problem.remedy
