"""What clients hear of a statement that was taken in: once, in the transaction that stores it."""

from __future__ import annotations

import sqlite3

from daemon.discovery.directory.log import Admission, Candidate, LogOutcome
from daemon.discovery.intake.views import full_view
from daemon.discovery.ports import DirectoryEvents
from musig2.protocol.records.records import Advertisement, Withdrawal


def tell(
    events: DirectoryEvents,
    conn: sqlite3.Connection,
    candidate: Candidate,
    admission: Admission,
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
            renewed = admission.outcome is LogOutcome.RENEWED
            events.append(conn, "signer:discovered", {"advertisement": advertisement, "renewed": renewed, **own})
        case Withdrawal(pubkey=pubkey) if (gone := admission.replaced) and not followed.isdisjoint(gone.types):
            told = {"publicKey": pubkey.hex(), "transactionTypes": sorted(gone.types), **own}
            events.append(conn, "signer:withdrawn", told)
        case _:
            return False
    return True
