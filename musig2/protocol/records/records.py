"""The signed records of the protocol, as plain values.

Sizes: `b32`, `b33`, `b64` are `bytes` of that length; times are integer milliseconds since 1970; amounts are satoshis;
`peer` is a libp2p peer id in its binary form (38 bytes for ed25519); `addrs` are binary multiaddrs.
The bytes of each record are made and read in `codec.py`; the ids are in `ids.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from musig2.protocol.made_quickly import made_quickly

# What may stand in the open signed map `metadata`: the CBOR subset; the record as a whole is nested at most six deep.
Open: TypeAlias = "int | bytes | str | bool | tuple[Open, ...] | Mapping[str, Open] | None"


class RecordType(StrEnum):
    """The first field of an envelope; part of the tag under which the record is signed."""

    ADVERTISEMENT = "advertisement"
    WITHDRAWAL = "withdrawal"
    ENTRY = "entry"
    REQUEST = "request"
    JOIN = "join"
    DECLINE = "decline"
    CANCEL = "cancel"
    CONSIDERING = "considering"
    MESSAGE = "message"
    NODE = "node"
    NOTICE = "notice"


class Alg(StrEnum):
    """Under what an envelope is signed: one of the two schemes, or a peer identity."""

    LOTUS = "lotus"
    BIP340 = "bip340"
    ED25519 = "ed25519"


@made_quickly
@dataclass(frozen=True, slots=True)
class Advertisement:
    """A signer's public offer to sign; also, unpublished, the delegation of a key to a peer."""

    scheme: str
    pubkey: bytes
    peer: bytes
    addrs: tuple[bytes, ...]  # at most 16
    types: tuple[str, ...]  # sorted
    ts: int
    exp: int
    min: int | None = None
    max: int | None = None
    trust: Mapping[str, Open] | None = None  # closed: `reputation` 0 to 100, `requiresVerification`; None means empty
    metadata: Mapping[str, Open] | None = None  # an empty map is read as None


@made_quickly
@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Takes back every advertisement of this key up to `ts`, and wins a tie."""

    scheme: str
    pubkey: bytes
    ts: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the directory log; `ad` is the id of the advertisement it stands for."""

    scheme: str
    pubkey: bytes
    peer: bytes
    types: tuple[str, ...]
    ts: int
    exp: int
    ad: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class WireTweak:
    """kind 0 plain, 1 x-only, 2 taproot; `value` 32 bytes, or None for a taproot tweak without a root."""

    kind: int
    value: bytes | None


@made_quickly
@dataclass(frozen=True, slots=True)
class Item:
    """One message to sign: `agg` is the tweaked aggregate key (33 bytes) that the signature verifies under."""

    msg: bytes
    tweaks: tuple[WireTweak, ...]
    agg: bytes
    input: int | None = None


@made_quickly
@dataclass(frozen=True, slots=True)
class Election:
    """How the coordinator is chosen: `lexicographic`, `hash-based`, `first-signer` or `last-signer`."""

    method: str
    broadcast_ms: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Request:
    """A request that `keys` (strictly sorted, distinct, 2 to 100) sign 1 to 100 items."""

    scheme: str
    keys: tuple[bytes, ...]
    order: tuple[int, ...]  # order[i] = position in `keys` of the wallet's i-th key
    items: tuple[Item, ...]
    creator: bytes
    created: int
    expires: int
    round_ms: int
    max_attempts: int
    salt: bytes  # 16 bytes
    election: Election | None
    metadata: Mapping[str, Open]


@made_quickly
@dataclass(frozen=True, slots=True)
class Join:
    """Delegates one attempt of one session to one peer identity."""

    scheme: str
    request: bytes
    attempt: int
    pubkey: bytes
    peer: bytes
    addrs: tuple[bytes, ...]
    ts: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Decline:
    """Ends the request for all; by a required signer."""

    scheme: str
    request: bytes
    pubkey: bytes
    reason: str
    ts: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Cancel:
    """Ends the request for all; by its creator."""

    scheme: str
    request: bytes
    pubkey: bytes
    reason: str
    ts: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Considering:
    """A required signer has the request, and it waits for its owner's approval since `ts`."""

    scheme: str
    request: bytes
    pubkey: bytes
    ts: int


@made_quickly
@dataclass(frozen=True, slots=True)
class NonceBody:
    """seq 1: the pubnonces (66 bytes each, one per item) under the join set they were made for."""

    joinset: bytes
    pubnonces: tuple[bytes, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class PartialBody:
    """seq 2: the partial signatures (32 bytes each, one per item) under the nonce set they answer."""

    nonceset: bytes
    psigs: tuple[bytes, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class AbortBody:
    """seq 3: `scope` is `attempt` or `request`; `evidence` holds envelopes."""

    reason: str
    scope: str
    missing: tuple[bytes, ...]
    evidence: tuple[bytes, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class DoneBody:
    """seq 4: the transaction was broadcast."""

    txid: bytes


Body: TypeAlias = NonceBody | PartialBody | AbortBody | DoneBody
SEQ_OF: Mapping[type, int] = {NonceBody: 1, PartialBody: 2, AbortBody: 3, DoneBody: 4}


@made_quickly
@dataclass(frozen=True, slots=True)
class Message:
    """A session message of the peer that the named join delegates to; `seq` follows from the body."""

    session: bytes
    join: bytes
    body: Body

    @property
    def seq(self) -> int:
        """1 nonce, 2 partial, 3 abort, 4 done."""
        return SEQ_OF[type(self.body)]


@made_quickly
@dataclass(frozen=True, slots=True)
class Node:
    """A node that serves the directory."""

    peer: bytes
    addrs: tuple[bytes, ...]
    roles: tuple[str, ...]
    ts: int
    exp: int


@made_quickly
@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody asks one of the keys behind `tags` (8 bytes each); at most 4 KiB encoded."""

    peer: bytes
    salt: bytes
    tags: tuple[bytes, ...]
    ts: int
    exp: int


Record: TypeAlias = (
    Advertisement | Withdrawal | Entry | Request | Join | Decline | Cancel | Considering | Message | Node | Notice
)

TYPE_OF: Mapping[type, RecordType] = {
    Advertisement: RecordType.ADVERTISEMENT,
    Withdrawal: RecordType.WITHDRAWAL,
    Entry: RecordType.ENTRY,
    Request: RecordType.REQUEST,
    Join: RecordType.JOIN,
    Decline: RecordType.DECLINE,
    Cancel: RecordType.CANCEL,
    Considering: RecordType.CONSIDERING,
    Message: RecordType.MESSAGE,
    Node: RecordType.NODE,
    Notice: RecordType.NOTICE,
}
