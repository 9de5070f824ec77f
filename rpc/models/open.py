"""Metadata: an open map that is signed with its record, so only what the records can hold may stand in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rpc.models.values import MAX_INTEGER, Count, HexBytes, Label, Millis, Sats, Score, Text, TransactionType
from rpc.models.wire import Many, Value

MAX_DEPTH = 4
MAX_NAME_BYTES = 24


def check_open(value: Any, depth: int = 0) -> None:
    """Raises unless `value` is made of maps, lists, strings, booleans, null and integers from 0 to 2^53 - 1."""
    if depth > MAX_DEPTH:
        raise PydanticCustomError("open_depth", "must not be nested more than 4 levels deep")
    match value:
        case None | bool():
            return
        case int():
            if not 0 <= value <= MAX_INTEGER:
                raise PydanticCustomError("open_integer", "integers must be from 0 to 2^53 - 1")
        case str():
            if not unicodedata.is_normalized("NFC", value):
                raise PydanticCustomError("open_text", "text must be in Unicode normal form C")
        case list() | tuple():
            for item in value:
                check_open(item, depth + 1)
        case Mapping():
            for name, item in value.items():
                _check_name(name)
                check_open(item, depth + 1)
        case _:
            raise PydanticCustomError("open_kind", "may hold maps, lists, strings, booleans, null and whole numbers")


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not unicodedata.is_normalized("NFC", name):
        raise PydanticCustomError("open_name", "names must be text in Unicode normal form C")
    if not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise PydanticCustomError("open_name", "names must be 1 to 24 bytes long")


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
                    raise PydanticCustomError(
                        "open_twin", "{name} is written {alias}", {"name": name, "alias": field.alias}
                    )
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


class RequestMetadata(OpenValue):
    """What the co-signers are shown about a request; unknown members travel too."""

    transaction_hex: HexBytes | None = None
    amount: Sats | None = None
    transaction_type: TransactionType | None = None
    purpose: Text | None = None
    description: Text | None = None
    spent_outputs: Many[SpentOutput] | None = None
    sighash_type: Count | None = None
