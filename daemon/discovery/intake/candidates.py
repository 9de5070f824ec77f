"""From verified records to whole statements, with all that the log needs beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import cast

from daemon.discovery.directory.address_ranges import NOWHERE, range_of
from daemon.discovery.directory.log import Candidate
from daemon.discovery.directory.statements import Stated, Statement, is_stated
from daemon.discovery.intake.halves import WaitingRoom
from daemon.discovery.intake.views import view_of
from musig2.protocol.records.checks import entry_agrees
from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Record, Withdrawal
from musig2.protocol.wire.frames import Signed


def whole_statements(records: Sequence[Signed[Record]], halves: WaitingRoom, mono_ms: int) -> Iterator[Statement]:
    """The statements that are whole. An entry mostly follows its advertisement; other halves wait."""
    coming = zip_longest(records, records[1:])
    for signed, following in coming:
        both = pair(signed, following)
        if both is not None:
            next(coming)
        statement = both or _whole(signed, halves, mono_ms)
        if statement is not None:
            yield statement


def _whole(signed: Signed[Record], halves: WaitingRoom, mono_ms: int) -> Statement | None:
    if isinstance(signed.record, Advertisement | Entry):
        return halves.offer(cast("Signed[Advertisement] | Signed[Entry]", signed), mono_ms)
    return Statement(cast("Signed[Stated]", signed)) if is_stated(signed) else None


def pair(signed: Signed[Record], following: Signed[Record] | None) -> Statement | None:
    """An advertisement with the entry that follows it, if they belong together."""
    if following is None or not isinstance(signed.record, Advertisement) or not isinstance(following.record, Entry):
        return None
    advertisement = cast("Signed[Advertisement]", signed)
    if not entry_agrees(following.record, advertisement):
        return None
    return Statement(advertisement, cast("Signed[Entry]", following))


def candidate_of(
    statement: Statement,
    own_keys: Collection[bytes],
    *,
    kept: bool = False,
    private_ranges: bool = True,
    by: bytes | None = None,
) -> Candidate:
    """The statement with what the log needs beside it; `private_ranges` as in the limits; `by`: who delivered it."""
    record = statement.record.record
    nowhere = None if private_ranges else NOWHERE
    match record:
        case Advertisement():
            view = view_of(cast("Signed[Advertisement]", statement.record))
            net = range_of(record.addrs) or nowhere
            return Candidate(statement, net, view, kept or record.pubkey in own_keys, record.peer == by)
        case Withdrawal():
            return Candidate(statement, kept=kept or record.pubkey in own_keys)
        case Node():
            return Candidate(statement, range_of(record.addrs) or nowhere, kept=kept, direct=record.peer == by)
        case Notice():
            return Candidate(statement, kept=kept)
