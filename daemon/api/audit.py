"""Handlers of `getAuditLog` and `verifyAuditLog`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from daemon.audit import log
from daemon.audit.chain import Anchor, ChainBroken, ChainLine
from daemon.store import Store
from rpc.caller import Caller
from rpc.models import audit as models


class AuditMethods:
    """The audit log through the API. Both methods read it in a thread, as it may be long."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_audit_log(self, caller: Caller, params: models.ReadAuditLog) -> models.AuditPage:
        def read(conn: sqlite3.Connection) -> tuple[Sequence[ChainLine], Anchor]:
            return list(log.lines_after(conn, params.from_seq - 1, params.limit)), log.end_of(conn)

        lines, end = await self._store.read_slow(read)
        return models.AuditPage(
            lines=tuple(_shown(line) for line in lines),
            next_seq=lines[-1].seq + 1 if lines else params.from_seq,
            anchor=str(end),
        )

    async def verify_audit_log(self, caller: Caller, params: models.VerifyAuditLog) -> models.AuditVerified:
        def check(conn: sqlite3.Connection) -> Anchor:
            end = log.verify(conn)
            for text in params.anchors:
                _require(conn, Anchor.parse(text))
            return end

        try:
            end = await self._store.read_slow(check)
        except ChainBroken as broken:
            return models.AuditVerified(valid=False, problem=str(broken))
        return models.AuditVerified(valid=True, lines=end.seq, anchor=str(end))


def _require(conn: sqlite3.Connection, anchor: Anchor) -> None:
    """Raises ChainBroken where the log does not hold the anchor."""
    start = log.start_of(conn)
    found = [start] if start.seq == anchor.seq else [line.link for line in log.lines_after(conn, anchor.seq - 1, 1)]
    if anchor not in found:
        raise ChainBroken(f"the anchor {anchor} is not in it: the log was written anew, or begins later")


def _shown(line: ChainLine) -> models.AuditLine:
    body = orjson.loads(line.body)
    return models.AuditLine(seq=line.seq, time=line.time, what=body.pop("what"), facts=body, hash=line.hash.hex())
