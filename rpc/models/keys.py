"""Keys of this daemon, and the two pure calculations with public keys."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from rpc.models.transactions.tweaks import Tweaks
from rpc.models.values import Hex32, Hex64, HexBytes, Label, Millis, NetworkName, PublicKey, SchemeName
from rpc.models.wire import Change, Changed, Many, OfScheme, Params, Shown, misfit
from rpc.sent_secret import SentSecret


def _chosen(passphrase: SentSecret) -> SentSecret:
    """A file is read without its last line break, so a passphrase that ends in one could be given from no file."""
    if passphrase.view[-1] in b"\r\n":
        raise PydanticCustomError("line_break", "must not end in a line break: leave out that of a file")
    return passphrase


NewPassphrase = Annotated[SentSecret, AfterValidator(_chosen)]
SealedKey = Annotated[str, Field(min_length=1, max_length=512)]
UnlockMs = Annotated[int, Field(ge=0, le=10 * 365 * 24 * 3600 * 1000)]
PublicKeys = Annotated[Many[PublicKey], Field(min_length=2, max_length=100)]


class CreateKey(Change):
    """A new key, made here and kept encrypted."""

    scheme: SchemeName
    label: Label | None = None


class ImportKey(Params):
    """Imports an existing private key, in one of two forms: `privateKey`, or what exportKey wrote.

    It carries a secret, so it takes no idempotency key.
    """

    private_key: SentSecret | None = Field(default=None, description="32 bytes as hex, or WIF")
    sealed_key: SealedKey | None = Field(default=None, description="the line that exportKey wrote")
    export_passphrase: SentSecret | None = Field(default=None, description="what opens sealedKey")
    scheme: SchemeName
    label: Label | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.private_key is None) == (self.sealed_key is None):
            raise misfit("privateKey", "give either privateKey, or sealedKey with exportPassphrase")
        if (self.sealed_key is None) != (self.export_passphrase is None):
            raise misfit("exportPassphrase", "goes with sealedKey, which it opens")
        return self


class ExportKey(OfScheme):
    """An own key, sealed under a passphrase of its own, to be kept elsewhere. Both passphrases are secrets."""

    public_key: PublicKey
    passphrase: SentSecret = Field(description="the one that opens the keys of this daemon")
    export_passphrase: NewPassphrase = Field(description="the one that will open this key, here or in another daemon")


class ExportedKey(Shown):
    """One line of text: `importKey` takes it as `sealedKey`. Whoever has it can guess at its passphrase for ever."""

    public_key: PublicKey
    scheme: SchemeName
    sealed_key: str


class KeyMade(Changed):
    """The public side of the key."""

    public_key: PublicKey
    scheme: SchemeName
    label: str


class Key(Shown):
    """One own key. `external`: its private key is kept elsewhere."""

    public_key: PublicKey
    scheme: SchemeName
    label: str
    external: bool
    paused: bool
    created_at: Millis


class ChangedKey(Key, Changed):
    """The key after the change."""


class KeyList(Shown):
    """The keys this token may use."""

    keys: Many[Key]


class NameKey(OfScheme, Change):
    """Names an own key."""

    public_key: PublicKey


class KeyDeleted(Changed):
    """It is gone; what it signed stays on record, and the same key imported again signs none of it anew."""

    public_key: PublicKey
    deleted: bool


class Unlock(Params):
    """Unlocks the keys; they lock again after `durationMs`, or stay unlocked if it is absent."""

    passphrase: SentSecret = Field(description="without the line break that its file ends in")
    duration_ms: UnlockMs | None = None


class ChangePassphrase(Params):
    """Encrypts the keys under a new passphrase."""

    passphrase: SentSecret = Field(description="without the line break that its file ends in")
    new_passphrase: NewPassphrase


class LockState(Changed):
    """Whether the keys are locked, and when they lock again by themselves."""

    locked: bool
    until: Millis | None = None


class PassphraseChanged(Changed):
    """It is changed."""

    changed: bool


class AggregateKeys(Params):
    """The aggregate key of those keys, in any order; nothing is stored.

    What no request could spend is refused: fewer than two keys, one of them twice, a key known to sign another scheme.
    """

    public_keys: PublicKeys
    scheme: SchemeName
    tweaks: Tweaks = ()
    network: NetworkName | None = Field(
        default=None, description="for the address: main, test, regtest, or the daemon's own, which it is when absent"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.public_keys)) != len(self.public_keys):
            raise misfit("publicKeys", "must be distinct")
        return self


class AggregatedKey(Shown):
    """`aggregatedPublicKey` is the tweaked key that signatures verify under, `internalPublicKey` the one before."""

    aggregated_public_key: PublicKey
    internal_public_key: PublicKey
    x_only_public_key: Hex32
    public_keys: Many[PublicKey]
    scheme: SchemeName
    script_pub_key: HexBytes
    address: str


class VerifySignature(Params):
    """A signature, what it should sign, and under which key."""

    public_key: PublicKey
    message: Hex32
    signature: Hex64
    scheme: SchemeName


class Verified(Shown):
    """Whether it holds."""

    valid: bool
