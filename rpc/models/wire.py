"""How every model of the API behaves: camelCase on the wire, strict, frozen, no unknown params."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from rpc.models.values import IdempotencyKey, SchemeName

T = TypeVar("T")
# A JSON array. Strictness about tuples is a Python matter, so it is lifted here and holds again for the items. The
# first bad item ends the look at it: a megabyte of them would keep the daemon busy for seconds.
Many = Annotated[tuple[T, ...], Field(strict=False, fail_fast=True)]


LATER: Final = "x-later"


def later(description: str | None = None) -> Any:
    """A member that an answer of this API version did not always have.

    The daemon always gives it. The kits take it for optional, because they read answers of older daemons too.
    """
    return Field(description=description, json_schema_extra={LATER: True})


def misfit(at: str, sentence: str) -> PydanticCustomError:
    """What a validator over several members raises; `at` is the member that the client should look at."""
    return PydanticCustomError("misfit", "{sentence}", {"sentence": sentence, "at": (at,)})


class Value(BaseModel):
    """Something that appears in params: unknown members are refused, so that a typing mistake never passes."""

    model_config = ConfigDict(
        strict=True,
        defer_build=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )


class Params(Value):
    """Params of one method, by name."""


class Change(Params):
    """Params of a method that changes something and carries no secret."""

    idempotency_key: IdempotencyKey | None = Field(
        default=None,
        description="repeating the call with the same key and params gives the same answer for 24 hours",
    )


class OfScheme(Params):
    """Params that name a key, a request or a session, from which the scheme follows; the program holds them to it."""

    scheme: SchemeName | None = Field(
        default=None, description="follows from what is named; another one is scheme_mismatch"
    )


class Shown(BaseModel):
    """Something the daemon answers: later versions may add members, so clients keep what they do not know."""

    model_config = ConfigDict(
        strict=True,
        defer_build=True,
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Changed(Shown):
    """The answer of a call that changed something. Handlers leave `seq` out: the server adds it."""

    seq: int | None = Field(default=None, description="position of the event log after the change")


class NoParams(Params):
    """A method without params."""


class NoParamsChange(Change):
    """A changing method without params of its own."""
