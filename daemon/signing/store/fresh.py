"""The rows of a new request, made from what its first transaction stores, so that they need not be read."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.signing.store.reads import RequestRows, StoredJoin, StoredRequest
from daemon.signing.store.writes import SaveRequest
from musig2.protocol.interface.effects import Outcome, Save, SaveJoin, SaveOutcome, SaveRecord, SaveSession, SessionRow
from musig2.protocol.records.records import Considering
from musig2.protocol.wire.frames import Signed


def rows_of_new(created: SaveRequest, saves: Iterable[Save]) -> tuple[StoredRequest, RequestRows] | None:
    """The rows of the request after these saves; None if it is no longer open, as ends are not covered here."""
    joins: list[StoredJoin] = []
    sessions: dict[tuple[bytes, bytes], SessionRow] = {}
    considering: dict[bytes, int] = {}
    outcome = Outcome.OPEN
    for save in saves:
        match save:
            case SaveJoin(join=join):
                record = join.record
                joins.append(StoredJoin(record.attempt, save.index, save.own, record.peer, join.envelope))
            case SaveSession(row=row):
                sessions[row.session, row.key] = row
            case SaveRecord(signed=Signed(record=Considering(pubkey=key, ts=since_ms))):
                considering[key] = since_ms
            case SaveOutcome():
                outcome = save.outcome
            case _:
                pass
    if not outcome.live:
        return None
    signed = created.request
    stored = StoredRequest.opened(signed.id, signed.envelope, created.source, created.received_ms, outcome)
    own = {position for position, key in enumerate(signed.record.keys) if key in created.own}
    return stored, RequestRows(joins, list(sessions.values()), own, considering=considering)
