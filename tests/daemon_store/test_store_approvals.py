"""Tokens with `sign` from before the scope `approve` get it by migration, so that they can do what they could."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from daemon.store import Store
from daemon.store.migrate import shipped_migrations


def test_tokens_that_could_sign_can_approve(tmp_path: Path) -> None:
    path = tmp_path / "db"
    steps = shipped_migrations()
    before = [step for step in steps if step.name != "approvals"]
    assert len(before) == len(steps) - 1
    number = next(step.version for step in steps if step.name == "approvals")
    asyncio.run(Store.open(path, [step for step in steps if step.version < number]).close())
    with closing(sqlite3.connect(path)) as conn, conn:
        for name, scopes in {"a": "read", "b": "discover sign", "c": "sign", "d": "admin"}.items():
            row = (name, name.encode() * 32, scopes, 0, 0, "", 1)
            conn.execute(
                "INSERT INTO tokens (token_id, digest, scopes, bound, create_key, label, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
    asyncio.run(Store.open(path, steps).close())
    with closing(sqlite3.connect(path)) as conn:
        found = dict(conn.execute("SELECT token_id, scopes FROM tokens"))
    assert found == {"a": "read", "b": "discover sign approve", "c": "sign approve", "d": "admin"}
