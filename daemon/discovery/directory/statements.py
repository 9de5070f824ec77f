"""A statement: one line of the directory log before it is stored, and the rule that says which of two is newer.

An advertisement is sent and stored together with its directory entry; a withdrawal, a node record and a notice stand
alone. The subject is what a statement is about: only the newest one per subject counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from daemon.discovery.limits import TOMBSTONE_MS
from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Record, Withdrawal
from musig2.protocol.wire.frames import Signed

Stated: TypeAlias = Advertisement | Withdrawal | Node | Notice


class Kind(IntEnum):
    """What a line of the log holds; the numbers are stored."""

    ADVERTISEMENT = 1
    WITHDRAWAL = 2
    NODE = 3
    NOTICE = 4

    __hash__ = int.__hash__  # that of an Enum is a call of Python, and quotas count by kind


@made_quickly
@dataclass(frozen=True, slots=True)
class Statement:
    """A record of the directory with the entry that belongs to it; its signatures may be unchecked.

    `subject` is what it is about: only the newest statement per subject counts.
    """

    record: Signed[Stated]
    entry: Signed[Entry] | None = None
    subject: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", subject_of(self.record))

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KIND_OF[type(self.record.record)]

    @property
    def exp(self) -> int:
        """When it expires, in ms of the wall clock."""
        stated = self.record.record
        return stated.ts + TOMBSTONE_MS if isinstance(stated, Withdrawal) else stated.exp

    @property
    def rank(self) -> tuple[int, bool, int]:
        """Its place in the order of statements about one subject: the greater one is newer."""
        return rank_of(self.record.record.ts, self.kind, self.record.id)

    @property
    def size(self) -> int:
        """Bytes of its envelopes."""
        return len(self.record.envelope) + (len(self.entry.envelope) if self.entry else 0)


KIND_OF: dict[type, Kind] = {
    Advertisement: Kind.ADVERTISEMENT,
    Withdrawal: Kind.WITHDRAWAL,
    Node: Kind.NODE,
    Notice: Kind.NOTICE,
}


def rank_of(ts: int, kind: int, record_id: bytes) -> tuple[int, bool, int]:
    """The order of statements about one subject, as in `musig2.protocol.records.checks.newer`; for lines too."""
    return ts, kind == Kind.WITHDRAWAL, -int.from_bytes(record_id, "big")


def subject_of(signed: Signed[Stated]) -> bytes:
    """The name under which only one statement can be current."""
    match signed.record:
        case Advertisement(scheme=scheme, pubkey=pubkey) | Withdrawal(scheme=scheme, pubkey=pubkey):
            return signer_subject(scheme, pubkey)
        case Node(peer=peer):
            return b"n" + peer
        case Notice():
            return b"q" + signed.id


def signer_subject(scheme: str, pubkey: bytes) -> bytes:
    """The subject of a key under its scheme."""
    return b"s" + scheme.encode() + pubkey


def is_stated(signed: Signed[Record]) -> bool:
    """True for the records that have a line of their own in the directory."""
    return type(signed.record) in KIND_OF
