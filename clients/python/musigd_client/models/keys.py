"""What calls about keys take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from musigd_client.record import Record
from musigd_client.wire import Inner


class KeyMade(Record):
    """The public side of the key."""

    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    scheme: Literal["lotus", "bip340"]
    label: str


class ExportedKey(Record):
    """One line of text: `importKey` takes it as `sealedKey`. Whoever has it can guess at its passphrase for ever."""

    public_key: str
    scheme: Literal["lotus", "bip340"]
    sealed_key: str


class KeyDeleted(Record):
    """It is gone; what it signed stays on record, and the same key imported again signs none of it anew."""

    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    deleted: bool


class Key(Record):
    """One own key. `external`: its private key is kept elsewhere."""

    public_key: str
    scheme: Literal["lotus", "bip340"]
    label: str
    external: bool
    paused: bool
    created_at: int


class KeyList(Record):
    """The keys this token may use."""

    _inner: ClassVar[Inner] = {"keys": (Key,)}
    keys: tuple[Key, ...]


class ChangedKey(Key):
    """The key after the change."""

    seq: int | None = None
    """position of the event log after the change"""


class LockState(Record):
    """Whether the keys are locked, and when they lock again by themselves."""

    seq: int | None = None
    """position of the event log after the change"""
    locked: bool
    until: int | None = None


class PassphraseChanged(Record):
    """It is changed."""

    seq: int | None = None
    """position of the event log after the change"""
    changed: bool


class TaprootTweak(Record):
    """Commits to a script tree by its merkle root. null is a key without scripts: 32 zero bytes on Lotus, no root at
    all on Bitcoin (BIP-86).
    """

    taproot_merkle_root: str | None


class PlainTweak(Record):
    """Adds a tweak to the aggregate key as BIP-327 says, plain or x-only; bip340 alone."""

    tweak: str
    x_only: bool


class AggregatedKey(Record):
    """`aggregatedPublicKey` is the tweaked key that signatures verify under, `internalPublicKey` the one before."""

    aggregated_public_key: str
    internal_public_key: str
    x_only_public_key: str
    public_keys: tuple[str, ...]
    scheme: Literal["lotus", "bip340"]
    script_pub_key: str
    address: str


class Verified(Record):
    """Whether it holds."""

    valid: bool
