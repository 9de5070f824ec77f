"""Goes from every signature of a daemon back to the lines of its audit log that say why it was made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from config.locations import DATABASE_NAME

Line = dict[str, Any]  # `what`, `seq` and the facts


def flat(lines: list[dict[str, Any]]) -> list[Line]:
    return [{"what": line["what"], "seq": line["seq"], **line["facts"]} for line in lines]


def signatures_of(datadir: Path) -> set[tuple[str, str]]:
    """(session, key) of everything that an own key has ever partially signed, from the locks that are never deleted."""
    with closing(sqlite3.connect(datadir / DATABASE_NAME)) as conn:
        return {(session.hex(), key.hex()) for session, key in conn.execute("SELECT session, key FROM signing_locks")}


def why(lines: list[Line], session: str, key: str) -> str:
    """`rule NAME`, `approved by LABELS` or `called by WHO`, from the lines about one partial signature."""
    (partial,) = (line for line in lines if line["what"] == "partial" and _about(line, session, key))
    before = [line for line in lines if line["seq"] < partial["seq"]]
    joins = [line for line in before if line["what"] == "signing-request:joined" and _about(line, session, key)]
    assert joins, "no join before the partial signature"
    if partial.get("verdict") == "join":
        assert partial["line"] > 0
        assert len(partial["policy"]) == 16
        assert joins[-1]["rule"] == partial["rule"]
        return f"rule {partial['rule']}"
    calls = [line for line in before if line["what"] == "call" and _asks(line, before, partial["requestId"], key)]
    assert calls, "nobody asked for it, and no rule allowed it"
    if partial.get("verdict") == "ask":
        given = {line["label"] for line in before if line["what"] == "approval:given" and _about(line, "", key)}
        assert set(partial["approvedBy"]) <= given | {_who(line) for line in calls}
        return f"approved by {', '.join(partial['approvedBy'])}"
    return f"called by {_who(calls[-1])}"


def _about(line: Line, session: str, key: str) -> bool:
    return line.get("publicKey") == key and session in ("", line.get("sessionId"))


def _asks(line: Line, before: list[Line], request: str, key: str) -> bool:
    """Whether a call could lead to it. The call that makes a request has no request id; its line has."""
    if "refused" in line or line.get("publicKey") != key:
        return False
    made = any(each["what"] == "signing-request:created" and each["requestId"] == request for each in before)
    return line.get("requestId") == request or (line["method"] == "announceSigningRequest" and made)


def _who(line: Line) -> str:
    assert line["who"]["through"] in ("http", "websocket")
    assert line["who"]["from"]
    return str(line["who"].get("label") or line["who"]["token"])
