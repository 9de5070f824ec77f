"""The policy file of a data directory, seen from outside a daemon: whether a start would take it, and dropping it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from config.locations import DATABASE_NAME, LOCK_NAME
from daemon.audit.log import AuditLog, latest_policy
from daemon.clock import SystemClock
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.datadir import Datadir
from daemon.policy.in_force import FILE_NAME, InForce, refuse_lost, remember, remembered
from daemon.policy.read import read_policy
from daemon.policy.rules import RuleSet
from daemon.store import Store, StoreError
from daemon.store.connection import inspect, open_unchanged
from daemon.store.migrate import shipped_migrations


class NoneToDrop(DaemonError):
    """There are no rules to drop, or their file is still there. Nothing was changed."""

    reason = "no_policy_to_drop"
    exit_code = EXIT_CONFIGURATION


def read_as_a_start(named: Path | None, datadir: Path) -> RuleSet | None:
    """The rules that a start would put in force; None without any. `named`: the setting `policy.file`.

    Raises PolicyUnreadable, PolicyLost. Changes nothing. What else is wrong with the directory is for others to say.
    """
    if named is not None:
        return read_policy(named)
    with suppress(OSError, StoreError, sqlite3.Error):
        if (datadir / FILE_NAME).exists():
            return read_policy(datadir / FILE_NAME)
        database = datadir / DATABASE_NAME
        found = inspect(database)
        if not found.is_new and found.version >= shipped_migrations()[-1].version:  # older ones: the start looks
            with closing(open_unchanged(database)) as conn:
                refuse_lost(conn, datadir)
    return None


async def drop(datadir: Path) -> str:
    """Go on without the lost rules, and put that on record; returns their digest. No daemon may run.

    Raises NoneToDrop, DatadirLocked, StoreError.
    """
    if inspect(datadir / DATABASE_NAME).is_new:
        raise NoneToDrop(f"There are no rules to drop in {datadir}: no musigd has run there.")
    claimed = Datadir.claim(datadir)
    try:
        store = Store.open(datadir / DATABASE_NAME, lock=datadir / LOCK_NAME)
        try:
            return await store.write(lambda conn: _drop(conn, datadir))
        finally:
            await store.close()
    finally:
        claimed.close()


def _drop(conn: sqlite3.Connection, datadir: Path) -> str:
    known = remembered(conn)
    digest = latest_policy(conn) if known is None else known.digest
    there = [path for path in ((known or InForce("")).file(datadir), datadir / FILE_NAME) if path.exists()]
    if there:
        raise NoneToDrop(f"There is a policy file, {there[0]}: move it away first, then drop the rules.")
    if not digest:
        raise NoneToDrop(f"There are no rules to drop in {datadir}: none were in force when musigd ran last.")
    remember(conn, InForce(""))
    AuditLog(SystemClock()).append(conn, "policy:dropped", {"policy": "none", "former": digest})
    return digest
