"""What the database remembers of the policy in force: the digest of its file, and where the file is.

So a backup finds the file without the settings of the daemon, and a lost file does not switch the rules off: the start
is refused until it is back, or the owner has said that there are to be none.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

from daemon.audit.log import AuditLog, latest_policy
from daemon.policy.policy import OwnerPolicy
from daemon.policy.read import PolicyUnreadable

FILE_NAME: Final = "policy.toml"
NONE: Final = "none"  # on record in place of a digest
_ROW: Final = "policy_in_force"


class PolicyLost(PolicyUnreadable):
    """Rules were in force, and there is no policy file."""

    reason = "policy_lost"


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


def refuse_lost(conn: sqlite3.Connection, datadir: Path) -> None:
    """To be called where there is no policy file: raises PolicyLost if rules were in force."""
    known = remembered(conn)
    digest = latest_policy(conn) if known is None else known.digest
    if not digest:
        return
    where = (known or InForce("")).file(datadir)
    raise PolicyLost(
        f"The policy is lost: rules were in force here ({digest} in the audit log, from {where}), and now there is no "
        "policy file. Put it back, or correct policy.file. To go on without rules, so that whatever a token asks for "
        "is signed: musigd policy drop."
    )


def remember(conn: sqlite3.Connection, now: InForce) -> None:
    """This is in force from now on."""
    conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_ROW, orjson.dumps(asdict(now)).decode()))


class RulesOnRecord:
    """Notes which rules are in force, at the start and whenever the file was read again: a line of the audit log says
    so where they are others than before.
    """

    def __init__(self, policy: OwnerPolicy, elsewhere: Path | None, audit: AuditLog) -> None:
        """`elsewhere`: the setting `policy.file`."""
        self._policy = policy
        self._audit = audit
        self._elsewhere = "" if elsewhere is None else str(elsewhere.absolute())

    def note(self, conn: sqlite3.Connection) -> None:
        """Write it, if it is not what was noted last."""
        now = InForce(self._policy.rules.digest, self._elsewhere)
        before = remembered(conn)
        if now == before:
            return
        remember(conn, now)
        if before is None or before.digest != now.digest:
            self._audit.append(conn, "policy:in-force", {"policy": now.digest or NONE})
