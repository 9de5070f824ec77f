"""Metadata: an open map that is signed with its record, so only what the records can hold may stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, LiteralString

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from config.text.plain_text import first_unfit
from musig2.protocol.review.texts import TAG_FORM
from rpc.models.values import (
    MAX_INTEGER,
    Count,
    Format,
    HexBytes,
    Label,
    Millis,
    Sats,
    Score,
    Text,
    TransactionType,
    unfit,
)
from rpc.models.wire import Many, Value

MAX_DEPTH = 4
MAX_NAME_BYTES = 24
_MessageTag = Annotated[str, Format(TAG_FORM, "must be 1 to 64 characters out of a-z, 0-9, space and './_-'")]


def check_open(value: Any, *at: str | int) -> None:
    """Raises unless `value` is made of maps, lists, strings, booleans, null and integers from 0 to 2^53 - 1.

    `at` is where it stands in the map that is checked; an error names the place.
    """
    if len(at) > MAX_DEPTH:
        raise _misfit("open_depth", "must not be nested more than 4 levels deep", at)
    match value:
        case None | bool():
            return
        case int():
            if not 0 <= value <= MAX_INTEGER:
                raise _misfit("open_integer", "must be from 0 to 2^53 - 1", at)
        case float():
            raise _misfit("open_integer", "must be a whole number", at)
        case str():
            _check_text(value, at)
        case list() | tuple():
            for index, item in enumerate(value):
                check_open(item, *at, index)
        case Mapping():
            for name, item in value.items():
                _check_name(name, at)
                check_open(item, *at, name)
        case _:
            raise _misfit("open_kind", "may hold maps, lists, strings, booleans, null and whole numbers", at)


def _check_text(text: str, at: tuple[str | int, ...]) -> None:
    if not unicodedata.is_normalized("NFC", text):
        raise _misfit("open_text", "text must be in Unicode normal form C: normalise it (NFC)", at)
    if (char := first_unfit(text, lines=True)) is not None:
        raise unfit(char, *at)


def _check_name(name: Any, at: tuple[str | int, ...]) -> None:
    if not isinstance(name, str) or not unicodedata.is_normalized("NFC", name):
        raise _misfit("open_name", "names must be text in Unicode normal form C: normalise them (NFC)", at)
    if not 0 < len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME_BYTES:
        raise _misfit("open_name", "names must be 1 to 24 bytes long", at)
    if (char := first_unfit(name)) is not None:
        raise unfit(char, *at, name)


def _misfit(kind: LiteralString, sentence: LiteralString, at: tuple[str | int, ...]) -> PydanticCustomError:
    return PydanticCustomError(kind, sentence, {"at": at})


class OpenValue(Value):
    """Known members are checked, others are kept as they are and signed along."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _check_all(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            check_open(data)
            for name, field in cls.model_fields.items():
                if name in data and field.alias not in {None, name}:
                    raise PydanticCustomError("open_twin", "is written {alias}", {"alias": field.alias, "at": (name,)})
        return data


class ClaimedReputation(OpenValue):
    """What a signer says of itself; a claim, nothing more."""

    score: Score | None = None
    completed_signings: Count | None = None
    failed_signings: Count | None = None
    average_response_time: Millis | None = None
    verified_identity: bool | None = None


class SignerMetadata(OpenValue):
    """What a signer tells about itself; unknown members travel too."""

    nickname: Label | None = None
    description: Text | None = None
    purpose: Text | None = None
    fees: Sats | None = Field(default=None, description="satoshis per signature, shown, never charged")
    response_time: Millis | None = None
    reputation: ClaimedReputation | None = None


class SpentOutput(OpenValue):
    """An output that the transaction spends, as needed to check the hash that is signed."""

    value: Sats
    script: HexBytes


class SpendPath(OpenValue):
    """How one of `messages` is signed, where that is not the key path with the ordinary sighash type."""

    item: Count = Field(description="position in `messages`")
    sighash_type: Count | None = None
    annex: HexBytes | None = Field(default=None, description="with its first byte, 50")
    leaf_script: HexBytes | None = Field(default=None, description="bip340: the message is signed for this leaf")
    leaf_version: Count | None = Field(default=None, description="192 when absent, and no other is known")
    control_block: HexBytes | None = Field(default=None, description="of the leaf, as its witness shows it")
    code_separator: Count | None = Field(
        default=None, description="position of the last executed OP_CODESEPARATOR among the opcodes of the leaf"
    )


class RequestMetadata(OpenValue):
    """What the co-signers are shown about a request; unknown members travel too."""

    transaction_hex: HexBytes | None = None
    amount: Sats | None = None
    transaction_type: TransactionType | None = None
    purpose: Text | None = None
    description: Text | None = None
    spent_outputs: Many[SpentOutput] | None = None
    sighash_type: Count | None = None
    spend_paths: Many[SpendPath] | None = None
    message_text: Text | None = Field(
        default=None, description="the message is BIP-340's tagged hash of this text under `messageTag`"
    )
    message_tag: _MessageTag | None = Field(default=None, description="of that hash; `signed-text/v1` when absent")
