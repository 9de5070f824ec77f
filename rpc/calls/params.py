"""From params as sent to the params model of a method, or to an error that names every place that is wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.plain_text import escaped
from config.wording import sentence_of
from rpc.errors import ApiError, JsonValue
from rpc.models.wire import Params

P = TypeVar("P", bound=Params)

_MAX_ERRORS = 20
_MAX_PATH = 200
_TAGS = frozenset({"taproot", "plain"})  # which kind of tweak pydantic tried; not part of what was sent


def params_of(model: type[P], raw: Any) -> P:
    """The params; raises ApiError `invalid_params` with `errors: [{path, message}]`, never a value that was sent."""
    if isinstance(raw, list):
        raise ApiError("invalid_params", "Params go by name: send an object.", errors=[])
    try:
        return model.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as problem:
        details = _causes(problem.errors(include_url=False, include_input=False))
    errors: list[JsonValue] = [
        {"path": _path(detail), "message": sentence_of(detail)} for detail in details[:_MAX_ERRORS]
    ]
    where, what = _path(details[0]), sentence_of(details[0])
    sentence = f"{where}: {what}" if where else what
    raise ApiError("invalid_params", sentence, errors=errors)


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without "too few items" where the items are too few only because one of them is wrong."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short" or not any(_is_inside(place, detail["loc"]) for place in places)
    ]


def _is_inside(place: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(place) > len(outer) and place[: len(outer)] == outer


def _path(detail: ErrorDetails) -> str:
    path = ""
    for part in (*detail["loc"], *detail.get("ctx", {}).get("at", ())):
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _TAGS:
            path += f".{part}" if path else part
    return escaped(path[:_MAX_PATH])
