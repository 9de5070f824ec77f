"""`musigd audit export|verify|anchor`: writes the audit log to a file, verifies such a file, prints an anchor."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from config.locations import DATABASE_NAME
from config.output.terminal import say
from daemon.audit import chain, log
from daemon.commands.settings import datadir_from
from daemon.errors import DaemonError
from daemon.store.connection import inspect, open_unchanged

UNANCHORED: Final = (
    "A log that was written anew as a whole would pass too: give what `musigd audit anchor` printed before, with "
    "--anchor SEQ:HASH.\n"
)


class AuditFailed(DaemonError):
    """The log cannot be read or written, or is not what was written."""


def export(arguments: argparse.Namespace) -> int:
    """Write the log of the data directory to the file; the daemon may run meanwhile."""
    with closing(_database(arguments)) as conn:
        conn.execute("BEGIN")  # all reads see one state of the log
        texts = chain.written(log.lines_after(conn, -1), log.start_of(conn))
        if str(arguments.file) == "-":
            for text in texts:
                say(text.decode())
            return 0
        try:
            with arguments.file.open("xb") as file:
                file.writelines(texts)
        except OSError as error:
            raise AuditFailed(f"{arguments.file} cannot be written: {error.strerror}. Choose a new name.") from None
        say(f"Wrote {arguments.file}. Keep this anchor elsewhere: {log.end_of(conn)}\n")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Print whether the file is complete and unchanged and holds the anchors; 1 if not."""
    try:
        anchors = [chain.Anchor.parse(text) for text in arguments.anchor]
    except ValueError as error:
        raise AuditFailed(f"--anchor: {error}.") from None
    try:
        found = chain.check_file(_texts(arguments.file), anchors)
    except chain.ChainBroken as broken:
        say(f"The file does not verify: {broken}.\n")
        return 1
    say(f"Complete and unchanged: seq {found.start.seq + 1} to {found.end.seq}. Anchor: {found.end}\n")
    if not anchors:
        say(UNANCHORED)
    return 0


def anchor(arguments: argparse.Namespace) -> int:
    """Print the anchor of the newest line."""
    with closing(_database(arguments)) as conn:
        say(f"{log.end_of(conn)}\n")
    return 0


def _database(arguments: argparse.Namespace) -> sqlite3.Connection:
    path = datadir_from(arguments) / DATABASE_NAME
    if inspect(path).is_new:
        raise AuditFailed(f"There is no audit log in {path.parent}: no musigd has run there.")
    conn = open_unchanged(path)
    try:
        log.end_of(conn)
    except sqlite3.Error:
        conn.close()
        raise AuditFailed(f"The database in {path.parent} has no audit log yet: start musigd once.") from None
    return conn


def _texts(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with file.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise AuditFailed(f"{file} cannot be read: {error.strerror}.") from None
