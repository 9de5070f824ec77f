"""The checks that need no signature and no database: size, time, rate, and recent refusals.

A refusal here counts against nobody: clocks differ, and relays are honest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeGuard

from daemon.discovery.directory.statements import Statement
from daemon.discovery.limits import DiscoveryLimits
from musig2.protocol.records import checks
from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Record, Withdrawal
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import SHORT_ID_BYTES

Published = Advertisement | Withdrawal | Entry | Node | Notice

REMEMBERED = 20_000
REFUSED_MS = 3_600_000


class RecordOrigin(StrEnum):
    """Which channel delivered a record. Live records must be recent; those from the gate are checked already."""

    GOSSIP = "gossip"
    PUSH = "push"
    SYNC = "sync"
    DHT = "dht"

    @property
    def live(self) -> bool:
        """Whether the channel carries only what was made just now."""
        return self in (RecordOrigin.GOSSIP, RecordOrigin.PUSH)

    @property
    def checked(self) -> bool:
        """Whether the gate has made all four checks."""
        return self is RecordOrigin.GOSSIP


class Screen:
    """Belongs to the event loop. What it remembers is bounded; `mono_ms` is the monotonic clock."""

    def __init__(self, limits: DiscoveryLimits) -> None:
        self._limits = limits
        self._refused: OrderedDict[bytes, int] = OrderedDict()  # short id -> until
        # subject and kind -> start of the interval, how many came in it
        self._renewals: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def passes(self, signed: Signed[Record], origin: RecordOrigin, now_ms: int, mono_ms: int) -> bool:
        """Whether a record passes every check that is cheaper than its signature; `now_ms` is the wall clock."""
        record = signed.record
        if self.refused_before(signed.id[:SHORT_ID_BYTES], mono_ms) or not is_public(record):
            return False
        size = len(signed.envelope)
        return checks.check_record(size, record, now_ms, self._limits.checks, origin.live) is None

    def lets_in(self, statement: Statement, mono_ms: int) -> bool:
        """Whether a verified statement from a live channel may be stored now; otherwise it is synchronised later."""
        refused = self.refused_before(statement.record.id[:SHORT_ID_BYTES], mono_ms)
        return not refused and not self.too_often(statement, mono_ms)

    def refused_before(self, short_id: bytes, mono_ms: int) -> bool:
        """Whether this was refused within the last hour despite a good signature; then it is not fetched either."""
        return self._refused.get(short_id, mono_ms) > mono_ms

    def too_often(self, statement: Statement, mono_ms: int) -> bool:
        """Count a live renewal or withdrawal; True if it exceeds the number allowed per interval."""
        record = statement.record.record
        if not isinstance(record, Advertisement | Withdrawal):
            return False
        subject = statement.subject + bytes([statement.kind.value])  # renewals and withdrawals are counted apart
        start, count = self._renewals.pop(subject, (mono_ms, 0))
        if mono_ms - start >= self._limits.interval_ms:
            start, count = mono_ms, 0
        self._renewals[subject] = (start, count + 1)
        while len(self._renewals) > REMEMBERED:
            self._renewals.popitem(last=False)
        withdrawn = isinstance(record, Withdrawal)
        return count >= (self._limits.live_withdrawals if withdrawn else self._limits.live_renewals)

    def remember(self, refused: Iterable[Statement], mono_ms: int) -> None:
        """Refuse these for the next hour without checking them again."""
        for statement in refused:
            self._refused[statement.record.id[:SHORT_ID_BYTES]] = mono_ms + REFUSED_MS
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)


def is_public(record: Record) -> TypeGuard[Published]:
    """Whether the directory takes records of this kind; an advertisement without types is a delegation for one peer."""
    return isinstance(record, Published) and not (isinstance(record, Advertisement) and not record.types)
