"""A log whose end was taken away, by somebody who can write the whole database: an anchor that was kept shows it."""

from __future__ import annotations

from daemon.api.audit import AuditMethods
from daemon.audit import log
from daemon.audit.log import AuditLog
from daemon.store import Store
from rpc.caller import owner
from rpc.models.audit import VerifyAuditLog
from tests.daemon_ops.ops_world import SettableClock


async def test_lines_cut_off_the_end_are_missed_at_the_anchor_that_was_kept(store: Store) -> None:
    clock, service = SettableClock(), AuditMethods(store)
    for number in range(6):
        await store.write(lambda conn, number=number: AuditLog(clock).append(conn, "call", {"number": number}))
    anchor, middle = str(store.read(log.end_of)), store.read(lambda conn: next(iter(log.lines_after(conn, 2, 1))))
    await store.write(lambda conn: conn.execute("DELETE FROM audit_lines WHERE seq > 4"))
    last = store.read(lambda conn: next(iter(log.lines_after(conn, 3, 1))))
    newest = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit_lines'"
    await store.write(lambda conn: conn.execute(newest, (last.seq,)))
    assert (await service.verify_audit_log(owner(), VerifyAuditLog(anchors=(str(middle.link),)))).valid
    told = await service.verify_audit_log(owner(), VerifyAuditLog(anchors=(anchor,)))
    assert not told.valid
    assert "is not in it" in (told.problem or "")


async def test_an_anchor_stays_good_when_old_lines_are_forgotten(store: Store) -> None:
    clock, service = SettableClock(), AuditMethods(store)
    for number in range(6):
        clock.now_ms += 1_000
        await store.write(lambda conn, number=number: AuditLog(clock).append(conn, "call", {"number": number}))
    anchors = [str(line.link) for line in store.read(lambda conn: list(log.lines_after(conn, 0)))]
    await store.write(lambda conn: log.forget_before(conn, clock.now_ms - 2_000))
    kept = [(await service.verify_audit_log(owner(), VerifyAuditLog(anchors=(anchor,)))).valid for anchor in anchors]
    assert kept == [False, False, True, True, True, True]
