"""What the database remembers of the policy in force: the digest of its file, and where the file is.

So a backup finds the file without the settings of the daemon.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

from daemon.policy.policy import OwnerPolicy

FILE_NAME: Final = "policy.toml"
_ROW: Final = "policy_in_force"


@dataclass(frozen=True, slots=True)
class InForce:
    """`digest`: of the policy file, "" without rules. `elsewhere`: its path, "" for the one in the data directory."""

    digest: str
    elsewhere: str = ""

    def file(self, datadir: Path) -> Path:
        """Where the policy file is or was."""
        return Path(self.elsewhere) if self.elsewhere else datadir / FILE_NAME


def remembered(conn: sqlite3.Connection) -> InForce | None:
    """What was in force last; None if the database is from before it remembered that."""
    row = conn.execute("SELECT value FROM meta WHERE name = ?", (_ROW,)).fetchone()
    return None if row is None else InForce(**orjson.loads(row[0]))


def remember(conn: sqlite3.Connection, now: InForce) -> None:
    """This is in force from now on."""
    conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_ROW, orjson.dumps(asdict(now)).decode()))


class RulesOnRecord:
    """Notes which rules are in force: at the start, and whenever the file was read again."""

    def __init__(self, policy: OwnerPolicy, elsewhere: Path | None) -> None:
        """`elsewhere`: the setting `policy.file`."""
        self._policy = policy
        self._elsewhere = "" if elsewhere is None else str(elsewhere.absolute())

    def note(self, conn: sqlite3.Connection) -> None:
        """Write it, if it is not what was noted last."""
        now = InForce(self._policy.rules.digest, self._elsewhere)
        if now != remembered(conn):
            remember(conn, now)
