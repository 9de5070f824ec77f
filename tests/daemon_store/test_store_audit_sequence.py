"""The audit log of a database from before its lines had a sequence goes on where it was."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.audit import log
from daemon.audit.chain import GENESIS, ChainBroken, ChainLine, next_line
from daemon.audit.log import AuditLog
from daemon.clock import SystemClock
from daemon.store import Store
from daemon.store.migrate import shipped_migrations


def before(path: Path, lines: int, *, kept: int) -> list[ChainLine]:
    """A database of the version before, with that many lines, the newest `kept` of them still there."""
    steps = shipped_migrations()
    number = next(step.version for step in steps if step.name == "audit_sequence")
    asyncio.run(Store.open(path, [step for step in steps if step.version < number]).close())
    made: list[ChainLine] = []
    with closing(sqlite3.connect(path)) as conn, conn:
        end = GENESIS
        for count in range(lines):
            made.append(next_line(end, count, {"what": "call", "number": count}))
            end = made[-1].link
        rows = [(line.seq, line.time, line.body, line.hash) for line in made[lines - kept :]]
        conn.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)
        first = GENESIS if lines == kept else made[lines - kept - 1].link
        conn.execute(
            "UPDATE audit_ends SET first_seq = ?, first_hash = ?, last_seq = ?, last_hash = ?",
            (first.seq, first.hash, end.seq, end.hash),
        )
    return made


def reopened(path: Path) -> tuple[int, int]:
    """The newest line after the migration, and after one more."""

    async def run() -> tuple[int, int]:
        store = Store.open(path)
        try:
            verified = store.read(log.verify)
            await store.write(lambda conn: AuditLog(SystemClock()).append(conn, "call", {}))
            return verified.seq, store.read(log.verify).seq
        finally:
            await store.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("lines", "kept"), [(0, 0), (5, 5), (5, 2), (5, 0)])
def test_the_chain_goes_on_after_the_migration(tmp_path: Path, lines: int, kept: int) -> None:
    before(tmp_path / "db", lines, kept=kept)
    assert reopened(tmp_path / "db") == (lines, lines + 1)


def test_lines_that_were_missing_before_the_migration_are_missed_after_it(tmp_path: Path) -> None:
    before(tmp_path / "db", 5, kept=5)
    with closing(sqlite3.connect(tmp_path / "db")) as conn, conn:
        conn.execute("DELETE FROM audit WHERE seq = 5")
    with pytest.raises(ChainBroken):
        reopened(tmp_path / "db")
