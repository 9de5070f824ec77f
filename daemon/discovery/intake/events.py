"""What clients hear of a statement that was taken in: once, in the transaction that stores it."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import cast

from daemon.discovery.directory.address_ranges import NOWHERE, range_of
from daemon.discovery.directory.lines import Gone
from daemon.discovery.directory.log import Candidate, LogOutcome
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.views import full_view, view_of
from daemon.discovery.ports import DirectoryEvents
from musig2.protocol.records.records import Advertisement, Node, Notice, Withdrawal
from musig2.protocol.wire.frames import Signed


def candidate_of(
    statement: Statement,
    own_keys: Collection[bytes],
    *,
    kept: bool = False,
    private_ranges: bool = True,
    by: bytes | None = None,
) -> Candidate:
    """The statement with what the log needs beside it; `private_ranges` as in the limits; `by`: who brought it."""
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


def tell(  # noqa: PLR0917 - one call site, and every one of them is needed
    events: DirectoryEvents,
    conn: sqlite3.Connection,
    candidate: Candidate,
    verdict: LogOutcome,
    replaced: Gone | None,
    followed: frozenset[str],
) -> bool:
    """Append the event of a stored statement, if it concerns a followed type; True if it did.

    One of an own key is told to the other wallets of this daemon: `followed` are then the types that those follow.
    """
    signed = candidate.statement.record
    own = {"sameDaemon": True} if candidate.kept else {}
    match signed.record:
        case Advertisement(types=types) if candidate.view is not None and not followed.isdisjoint(types):
            advertisement = full_view(candidate.view, signed.envelope, own=False, reputation=None)
            renewed = verdict is LogOutcome.RENEWED
            events.append(conn, "signer:discovered", {"advertisement": advertisement, "renewed": renewed, **own})
        case Withdrawal(pubkey=pubkey) if replaced is not None and not followed.isdisjoint(replaced.types):
            told = {"publicKey": pubkey.hex(), "transactionTypes": sorted(replaced.types), **own}
            events.append(conn, "signer:withdrawn", told)
        case _:
            return False
    return True
