"""Digests of the directory: one round trip shows in which buckets two directories differ.

A bucket is the set of statements whose id begins with the same bits; its digest is the sum of 8 bytes of each id. Sums
are kept for the finest division, so that a statement costs one addition, and coarser digests are sums of sums.
Expired statements do not count: `expire` takes them out.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from collections.abc import Iterable

FINE_BITS = 12
COARSE_BITS = 8
FINE_FROM = 30_000
MASK = (1 << 64) - 1
SET_BACK_MS = 10_000  # a smaller step back is an adjustment of the clock


class Buckets:
    """The sums of everything in the log that has not expired. Belongs to one thread."""

    def __init__(self) -> None:
        self._sums = array("Q", bytes(8 << FINE_BITS))
        self.size = 0
        self.expired_until_ms = 0

    def reload(self, conn: sqlite3.Connection, now_ms: int) -> None:
        """Read all ids of the log; about 0.1 s for 100,000."""
        self._sums = array("Q", bytes(8 << FINE_BITS))
        self.size = 0
        self.expired_until_ms = now_ms
        self.add(conn.execute("SELECT id, exp FROM directory_log WHERE exp > ?", (now_ms,)))

    def add(self, come: Iterable[tuple[bytes, int]]) -> None:
        """Count statements in, given as (id, exp)."""
        for record_id, exp in come:
            if exp > self.expired_until_ms:
                bucket = bucket_of(record_id, FINE_BITS)
                self._sums[bucket] = (self._sums[bucket] + weight(record_id)) & MASK
                self.size += 1

    def remove(self, gone: Iterable[tuple[bytes, int]]) -> None:
        """Count statements out, given as (id, exp); expired ones have been counted out already."""
        for record_id, exp in gone:
            if exp > self.expired_until_ms:
                bucket = bucket_of(record_id, FINE_BITS)
                self._sums[bucket] = (self._sums[bucket] - weight(record_id)) & MASK
                self.size -= 1

    def expire(self, conn: sqlite3.Connection, now_ms: int) -> bool:
        """Count out what has expired since the last call. True if the clock was set back: everything is recounted."""
        if now_ms < self.expired_until_ms - SET_BACK_MS:
            self.reload(conn, now_ms)
            return True
        if now_ms <= self.expired_until_ms:
            return False
        span = (self.expired_until_ms, now_ms)
        gone = conn.execute("SELECT id, exp FROM directory_log WHERE exp > ? AND exp <= ?", span).fetchall()
        self.remove(gone)
        self.expired_until_ms = now_ms
        return False

    def sums(self, bits: int) -> bytes:
        """The digests of all buckets, 8 bytes each, most significant byte first."""
        folded = array("Q", self._sums)
        if bits != FINE_BITS:
            width = 1 << (FINE_BITS - bits)
            starts = range(0, 1 << FINE_BITS, width)
            folded = array("Q", (sum(self._sums[start : start + width]) & MASK for start in starts))
        if sys.byteorder == "little":
            folded.byteswap()
        return folded.tobytes()

    @property
    def bits(self) -> int:
        """The number of bits that fits: 256 buckets, or 4,096 above 30,000 statements."""
        return FINE_BITS if self.size > FINE_FROM else COARSE_BITS


def bucket_of(record_id: bytes, bits: int) -> int:
    """The bucket of an id: its first `bits` bits, at most 16."""
    return int.from_bytes(record_id[:2], "big") >> (16 - bits)


def weight(record_id: bytes) -> int:
    """What an id adds to the sum of its bucket."""
    return int.from_bytes(record_id[8:16], "big")


def bucket_span(bucket: int, bits: int) -> tuple[bytes, bytes]:
    """The ids of a bucket are >= the first and <= the second of these."""
    first = (bucket << (16 - bits)).to_bytes(2, "big")
    last = (((bucket + 1) << (16 - bits)) - 1).to_bytes(2, "big")
    return first, last + b"\xff" * 30


def differing(ours: bytes, theirs: bytes) -> list[int]:
    """The buckets in which two digests of the same division differ."""
    pairs = zip(memoryview(ours).cast("Q"), memoryview(theirs).cast("Q"), strict=True)
    return [bucket for bucket, (our, their) in enumerate(pairs) if our != their]
