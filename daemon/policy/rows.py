"""The tables of the policy: charges, what came back, approvals."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Final

from daemon.policy.returns import ComingBack
from daemon.policy.spent import DAY_MS, Charge

KEPT_MS: Final = 30 * DAY_MS  # longer than any budget looks back, and than a request may last


@dataclass(frozen=True, slots=True)
class Approval:
    """The yes of a token for one own key. `until_ms` None: as long as the request lasts."""

    request: bytes
    key: bytes
    token: str
    label: str
    at_ms: int
    until_ms: int | None = None


def save_charge(conn: sqlite3.Connection, charge: Charge) -> None:
    """One request costs a budget once, however many attempts or own keys; the newest time and the most count."""
    conn.execute(
        "INSERT INTO policy_charges (request, budget, creator, amount, at_ms) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (request, budget) DO UPDATE SET at_ms = max(at_ms, excluded.at_ms),"
        " amount = max(amount, excluded.amount)",
        (charge.request, charge.budget, charge.creator, charge.amount, charge.at_ms),
    )


def charges_since(conn: sqlite3.Connection, then_ms: int) -> list[Charge]:
    """The charges after that moment, oldest first."""
    rows = conn.execute(
        "SELECT request, budget, creator, amount, at_ms FROM policy_charges WHERE at_ms > ? ORDER BY at_ms", (then_ms,)
    )
    return [Charge(*row) for row in rows]


def latest_charge(conn: sqlite3.Connection) -> int:
    """When anything was charged last; 0 where nothing was."""
    return int(conn.execute("SELECT coalesce(max(at_ms), 0) FROM policy_charges").fetchone()[0])


def save_claim(conn: sqlite3.Connection, request: bytes, claim: ComingBack) -> None:
    """What a signed request counted as coming back; for good."""
    conn.execute(
        "INSERT OR REPLACE INTO policy_returns (transaction_digest, request, outputs) VALUES (?, ?, ?)",
        (claim.transaction, request, json.dumps(sorted(claim.outputs))),
    )


def claimed(conn: sqlite3.Connection, transaction: bytes, without: bytes) -> frozenset[int]:
    """The outputs of that transaction that other signed requests counted as coming back."""
    query = "SELECT outputs FROM policy_returns WHERE transaction_digest = ? AND request <> ?"
    rows = conn.execute(query, (transaction, without))
    return frozenset[int]().union(*(json.loads(outputs) for (outputs,) in rows))


def save_approval(conn: sqlite3.Connection, approval: Approval) -> None:
    """The latest approval of a token replaces its earlier ones."""
    conn.execute(
        "INSERT OR REPLACE INTO policy_approvals (request, key, token, label, at_ms, until_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (approval.request, approval.key, approval.token, approval.label, approval.at_ms, approval.until_ms),
    )


def approvals_of(conn: sqlite3.Connection, request: bytes, key: bytes) -> list[Approval]:
    """All approvals of a request for one own key."""
    rows = conn.execute(
        "SELECT request, key, token, label, at_ms, until_ms FROM policy_approvals WHERE request = ? AND key = ?",
        (request, key),
    )
    return [Approval(*row) for row in rows]


def withdraw_approvals(conn: sqlite3.Connection, token: str) -> None:
    """Whatever that token approved is approved no more."""
    conn.execute("DELETE FROM policy_approvals WHERE token = ?", (token,))


def was_asked(conn: sqlite3.Connection, request: bytes, key: bytes) -> bool:
    """Whether the owner of that key was told that this request waits."""
    return (
        conn.execute("SELECT 1 FROM policy_asked WHERE request = ? AND key = ?", (request, key)).fetchone() is not None
    )


def note_asked(conn: sqlite3.Connection, request: bytes, key: bytes, at_ms: int) -> None:
    """Note that the owner of that key was told."""
    conn.execute("INSERT OR IGNORE INTO policy_asked (request, key, at_ms) VALUES (?, ?, ?)", (request, key, at_ms))


def forget(conn: sqlite3.Connection, *, budget_ms: int, wall_ms: int) -> None:
    """Remove what is older than that, by the clock of budgets and by the wall clock."""
    conn.execute("DELETE FROM policy_charges WHERE at_ms <= ?", (budget_ms,))
    conn.execute("DELETE FROM policy_approvals WHERE at_ms <= ?", (wall_ms,))
    conn.execute("DELETE FROM policy_asked WHERE at_ms <= ?", (wall_ms,))


def keep_clock(conn: sqlite3.Connection, state: str) -> None:
    """Where the clock of budgets is."""
    conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('budget_clock', ?)", (state,))


def kept_clock(conn: sqlite3.Connection) -> str | None:
    """The same, as it was kept last."""
    row = conn.execute("SELECT value FROM meta WHERE name = 'budget_clock'").fetchone()
    return None if row is None else str(row[0])
