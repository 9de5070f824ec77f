"""Scalar values of the API: bytes as lower-case hex, integers below 2^53, bounded strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.text.plain_text import first_unfit
from musig2.protocol.records.field_rules import MAX_TEXT_BYTES

MAX_INTEGER = 2**53 - 1  # the largest that every JSON reader keeps exactly
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Format:
    """A string that matches `pattern` as a whole; `sentence` says what is wanted and never repeats what was given."""

    pattern: str
    sentence: str

    def check(self, value: str) -> str:
        """The value itself, or an error with the sentence."""
        if re.fullmatch(self.pattern, value) is None:
            raise PydanticCustomError("format", "{sentence}", {"sentence": self.sentence})
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$"}


def unfit(char: str, *at: str | int) -> PydanticCustomError:
    """Refuses text for people because of this character; `at`: where it stands inside the value that is checked."""
    sentence = "holds {code}: control, bidirectional and unassigned characters are not taken"
    return PydanticCustomError("text", sentence, {"code": f"U+{ord(char):04X}", "at": at})


@dataclass(frozen=True, slots=True)
class ForPeople:
    """A string that people read: on a page, in a terminal, beside the names of others."""

    lines: bool  # line breaks and tabs may stand in it

    def check(self, value: str) -> str:
        """The value itself, or an error that names the character."""
        if (char := first_unfit(value, lines=self.lines)) is not None:
            raise unfit(char)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


def _hex(size: int) -> Format:
    return Format(f"[0-9a-f]{{{2 * size}}}", f"must be {size} bytes as {2 * size} lower-case hex digits")


def _fit_for_records(value: str) -> str:
    """Records that travel count bytes, and most letters beyond ASCII have two to four."""
    if len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        raise PydanticCustomError("text_bytes", "must have at most {most} bytes in UTF-8", {"most": MAX_TEXT_BYTES})
    return value


_CODE = "[a-z0-9-]{1,32}"
_CODE_SAID = "must be 1 to 32 characters out of a-z, 0-9 and '-'"

Hex32 = Annotated[str, _hex(32)]
Hex64 = Annotated[str, _hex(64)]
HexBytes = Annotated[str, Format("(?:[0-9a-f]{2})*", "must be whole bytes as lower-case hex digits")]
PublicKey = Annotated[
    str,
    Format(
        "0[23][0-9a-f]{64}",
        "must be a compressed public key: 33 bytes as 66 lower-case hex digits, the first byte 02 or 03",
    ),
]
SchemeName = Literal["lotus", "bip340"]
TransactionType = Annotated[str, Format(_CODE, _CODE_SAID)]
NetworkName = Annotated[str, Format(_CODE, _CODE_SAID)]
IdempotencyKey = Annotated[str, Format("[ -~]{1,64}", "must be 1 to 64 printable ASCII characters")]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Millis = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Sats = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Score = Annotated[int, Field(ge=0, le=100)]
Ttl = Annotated[int, Field(ge=1_000, le=WEEK_MS)]
Text = Annotated[str, StringConstraints(max_length=2_000), ForPeople(lines=True)]
Label = Annotated[str, StringConstraints(max_length=100), ForPeople(lines=False)]
Reason = Annotated[str, StringConstraints(max_length=200), AfterValidator(_fit_for_records), ForPeople(lines=False)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=500)]
PeerIdText = Annotated[str, StringConstraints(min_length=1, max_length=128)]
MultiaddrText = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
PageSize = Annotated[int, Field(ge=1, le=500)]
