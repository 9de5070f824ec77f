"""Frames of the session protocol: what stands between two length prefixes on a stream.

A frame is one deterministic CBOR array `[kind, ...]`. Signed records travel as their envelope bytes; the rest is
unsigned because it proves itself (`complete`) or is only a hint (`have`, `fetch`, `answer`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records.records import Advertisement, Record

R_co = TypeVar("R_co", bound=Record, covariant=True)


@made_quickly
@dataclass(frozen=True, slots=True)
class Signed(Generic[R_co]):
    """A record together with the envelope that proves it. `id` is what was signed and the record's name everywhere.

    Equality of records is equality of `id` (payload and type), never of envelope bytes: signatures are malleable.
    """

    record: R_co = field(compare=False)
    id: bytes  # 32 bytes
    envelope: bytes = field(compare=False)  # the encoded envelope, exactly as it travels


@made_quickly
@dataclass(frozen=True, slots=True)
class Have:
    """What a signer holds of one attempt. Bit i (byte i // 8, least significant first) is signer i."""

    request: bytes
    attempt: int
    joins: bytes
    nonces: bytes
    partials: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class Complete:
    """The final signatures, one per item: whoever holds the request can verify them."""

    request: bytes
    signatures: tuple[bytes, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class Fetch:
    """Asks for every open request that requires one of the keys delegated to the asking peer."""

    delegations: tuple[bytes, ...]  # advertisement envelopes that name the asking peer, at most 16
    opened: tuple[Signed[Advertisement], ...] = field(default=(), compare=False, repr=False)  # the same, where decoded


@made_quickly
@dataclass(frozen=True, slots=True)
class Answer:
    """`unknown_request` or `not_yet`: retry later; `busy`: retry much later. Never a refusal for good."""

    request: bytes
    code: str


Frame: TypeAlias = Signed[Record] | Have | Complete | Fetch | Answer
