"""Messages to sign and the tweaks of their aggregate key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_serializer, model_validator

from rpc.models.values import Count, Hex32, PublicKey
from rpc.models.wire import Many, Shown, Value


class TaprootTweak(Value):
    """Commits to a script tree by its merkle root. null is a key without scripts: 32 zero bytes on Lotus, no root at
    all on Bitcoin (BIP-86)."""

    taproot_merkle_root: Hex32 | None

    @model_serializer
    def _keep_null(self) -> dict[str, str | None]:
        return {"taprootMerkleRoot": self.taproot_merkle_root}


class PlainTweak(Value):
    """Adds a tweak to the aggregate key as BIP-327 says, plain or x-only; bip340 alone."""

    tweak: Hex32
    x_only: bool


_FORMS = (
    'must be {"taprootMerkleRoot": 32 bytes hex or null} (the last one; on lotus the only one), '
    'or on bip340 {"tweak": 32 bytes hex, "xOnly": true or false}'
)


def _kind(value: Any) -> Literal["taproot", "plain"] | None:
    """Which form was meant; None for neither and for a mixture."""
    if isinstance(value, TaprootTweak):
        return "taproot"
    if not isinstance(value, dict):
        return "plain" if isinstance(value, PlainTweak) else None
    is_taproot, is_plain = "taprootMerkleRoot" in value, "tweak" in value or "xOnly" in value
    if is_taproot == is_plain:
        return None
    return "taproot" if is_taproot else "plain"


Tweak: TypeAlias = Annotated[
    Annotated[TaprootTweak, Tag("taproot")] | Annotated[PlainTweak, Tag("plain")],
    Discriminator(_kind, custom_error_type="tweak", custom_error_message=_FORMS),
]
Tweaks = Annotated[Many[Tweak], Field(max_length=16)]


FINDINGS = ("checked", "uncheckedReason", "uncheckedMessage", "uncovered")


class MessageItem(Value):
    """One message of 32 bytes; `inputIndex` says which input of the transaction it belongs to, and has it checked.

    `aggregatedPublicKey`, the tweaked key that its signature verifies under, is always there in answers. Who announces
    may give it, to be refused when keys and tweaks do not make it. An item may be announced again as it was shown:
    `checked` and what goes with it are left out of it, and found anew.
    """

    message: Hex32
    tweaks: Tweaks = ()
    input_index: Count | None = Field(
        default=None,
        description="position among the inputs of `metadata.transactionHex`, from 0: the message must be its hash",
    )
    aggregated_public_key: PublicKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_findings(cls, data: Any) -> Any:
        return {name: data[name] for name in data if name not in FINDINGS} if isinstance(data, Mapping) else data


UncheckedReason = Literal[
    "no_transaction",
    "no_input_index",
    "transaction_unreadable",
    "no_such_input",
    "sighash_type",
    "spend_path",
    "script_mismatch",
    "message_mismatch",
    "text_unreadable",
]


class ReviewedItem(Shown):
    """A message of a request, and whether this daemon has found it to be what the request shows."""

    message: Hex32
    tweaks: Tweaks = ()
    input_index: Count | None = None
    aggregated_public_key: PublicKey
    checked: bool = Field(
        description="the message is the hash of that input of `metadata.transactionHex`, and the input spends the"
        " aggregate key of exactly these signers with these tweaks; or it is the hash of `metadata.messageText`"
    )
    unchecked_reason: UncheckedReason | None = Field(
        default=None, description="`no_transaction` and `no_input_index` can be joined unless requireChecked, no other"
    )
    unchecked_message: str | None = Field(default=None, description="what is wrong, where nobody can join")
    uncovered: Many[str] | None = Field(
        default=None,
        description="what the sighash type leaves open to change: `outputs`, `otherOutputs`, `otherInputs`",
    )
