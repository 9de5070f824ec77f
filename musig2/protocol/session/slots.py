"""One slot per signer, filled once: the collector of joins, nonces, partial signatures and aborts of an attempt.

The first record in a slot stays. The same record again changes nothing; another one is a conflict, which the caller
judges: two joins, or two messages of one sequence number, are something to be shown to others.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import Generic, TypeVar

from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Signed

R = TypeVar("R", bound=Record)


class Put(Enum):
    """The result of offering a record to a slot."""

    STORED = auto()
    SAME = auto()
    CONFLICT = auto()


class Slots(Generic[R]):
    """`n` slots, by signer index. Sets of signers are integers here: bit i is signer i."""

    __slots__ = ("_slots", "filled", "mask")

    def __init__(self, n: int) -> None:
        self._slots: list[Signed[R] | None] = [None] * n
        self.filled = 0
        self.mask = 0

    def __getitem__(self, index: int) -> Signed[R] | None:
        return self._slots[index]

    def __iter__(self) -> Iterator[Signed[R]]:
        """The records that are there, in the order of the signers."""
        return (signed for signed in self._slots if signed is not None)

    def all(self) -> tuple[Signed[R] | None, ...]:
        """Every slot, empty ones as None."""
        return tuple(self._slots)

    @property
    def full(self) -> bool:
        """Whether no signer is missing."""
        return self.filled == len(self._slots)

    def put(self, index: int, signed: Signed[R]) -> Put:
        """Offer a record to a signer's slot; a filled slot keeps what it has."""
        there = self._slots[index]
        if there is not None:
            return Put.SAME if there.id == signed.id else Put.CONFLICT
        self._slots[index] = signed
        self.filled += 1
        self.mask |= 1 << index
        return Put.STORED

    def clear(self, index: int) -> None:
        """Take back what this daemon itself put there and could not store."""
        if self._slots[index] is not None:
            self._slots[index] = None
            self.filled -= 1
            self.mask &= ~(1 << index)


def everyone(n: int) -> int:
    """The set of all n signers."""
    return (1 << n) - 1


def members(mask: int) -> Iterator[int]:
    """The signers in a set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def to_bitmap(mask: int, n: int) -> bytes:
    """A set as it is sent: bit i is in byte i // 8, least significant first."""
    return mask.to_bytes((n + 7) // 8, "little")


def from_bitmap(bitmap: bytes, n: int) -> int:
    """The set in a bitmap of a peer; bits beyond the last signer do not count."""
    return int.from_bytes(bitmap, "little") & everyone(n)
