"""The four checks of every record of the directory, cheapest first: size, timestamp, expiry, signature.

On the live channels (gossip, push) a record is as old as its journey: its `ts` lies within the skew of now. In the
directory and the DHT it may be as old as the longest ttl, but no further ahead than the skew. A withdrawal is a
tombstone there, and outlives by ten minutes every advertisement that it could have to beat. Only a failed signature
(and a bad encoding, which has been found before) is an offence; clocks differ, and relays are honest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Record, Withdrawal
from musig2.protocol.wire.frames import Signed

Stated: TypeAlias = Advertisement | Withdrawal | Entry | Node | Notice

WEEK_MS: Final = 7 * 24 * 3_600_000
TOMBSTONE_GRACE_MS: Final = 600_000


class Rejection(StrEnum):
    """The check that a record failed."""

    TOO_LARGE = "too_large"
    TIMESTAMP = "timestamp"
    EXPIRED = "expired"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """What the checks compare with; sizes are those of envelopes. The defaults are the ones clients are told."""

    advertisement_bytes: int = 10_000
    withdrawal_bytes: int = 1_000
    entry_bytes: int = 4_096
    node_bytes: int = 8_192
    notice_bytes: int = 4_096
    request_bytes: int = 50_000
    items_times_signers: int = 1_000
    skew_ms: int = 300_000
    max_ttl_ms: int = WEEK_MS  # of advertisements, nodes, notices and requests


def largest(record: Stated, limits: RecordLimits) -> int:
    """How many bytes the envelope of such a record may have."""
    match record:
        case Advertisement():
            return limits.advertisement_bytes
        case Withdrawal():
            return limits.withdrawal_bytes
        case Entry():
            return limits.entry_bytes
        case Node():
            return limits.node_bytes
        case Notice():
            return limits.notice_bytes


def check_record(size: int, record: Stated, now_ms: int, limits: RecordLimits, live: bool) -> Rejection | None:
    """The first of the first three checks that a record fails; `size` is that of its envelope."""
    if size > largest(record, limits):
        return Rejection.TOO_LARGE
    age_ms = now_ms - record.ts
    if age_ms < -limits.skew_ms or age_ms > (limits.skew_ms if live else _oldest_ms(record, limits)):
        return Rejection.TIMESTAMP
    if isinstance(record, Withdrawal):
        return None
    if record.exp <= now_ms or record.exp - record.ts > limits.max_ttl_ms:
        return Rejection.EXPIRED
    return None


def _oldest_ms(record: Stated, limits: RecordLimits) -> int:
    return limits.max_ttl_ms + (TOMBSTONE_GRACE_MS if isinstance(record, Withdrawal) else 0)


def is_ahead(ts: int, now_ms: int, limits: RecordLimits) -> bool:
    """Whether a time lies further ahead than clocks may differ.

    A record with such a ts would be refused now. A node that holds one accepted it while its own clock was ahead; until
    its time has come it does not count, and any other record of its subject replaces it.
    """
    return ts > now_ms + limits.skew_ms


def newer(a: Signed[Record], b: Signed[Record]) -> bool:
    """Whether `a` takes the place of `b`: two advertisements or withdrawals of one key, or two records of one node.

    The higher ts wins; at the same ts a withdrawal wins, and between two of a kind the smaller id. Holds for records
    whose time has come: see `is_ahead`.
    """
    return _rank(a) > _rank(b)


def _rank(signed: Signed[Record]) -> tuple[int, bool, int]:
    record = signed.record
    assert isinstance(record, Advertisement | Withdrawal | Entry | Node | Notice)
    return record.ts, isinstance(record, Withdrawal), -int.from_bytes(signed.id, "big")


def entry_agrees(entry: Entry, advertisement: Signed[Advertisement]) -> bool:
    """Whether the entry stands for exactly this advertisement and says the same about it."""
    record = advertisement.record
    said = (entry.scheme, entry.pubkey, entry.peer, entry.types, entry.ts, entry.exp)
    return entry.ad == advertisement.id and said == (
        *(record.scheme, record.pubkey, record.peer),
        *(record.types, record.ts, record.exp),
    )
