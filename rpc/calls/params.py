"""Converts params as sent to the model of a method, or to an error that names every wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.text.nearest import did_you_mean
from config.text.plain_text import escaped
from config.text.problems import sentence_of
from rpc.errors import CODES, INVALID_PARAMS, ApiError, JsonValue
from rpc.models.wire import Params

P = TypeVar("P", bound=Params)

_MAX_ERRORS = 20
_MAX_PATH = 200
_TAGS = frozenset({"taproot", "plain"})  # the kind of tweak that pydantic tried; not part of the params


def params_of(model: type[P], raw: Any) -> P:
    """The params; raises ApiError with `errors: [{path, message}]`, which never repeats a value that was sent.

    Its reason is `invalid_params`, or that of the first error where a model gives it one of its own.
    """
    if isinstance(raw, list):
        raise ApiError("invalid_params", "Params go by name: send an object.", errors=[])
    try:
        return model.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as problem:
        details = _causes(problem.errors(include_url=False, include_input=False))
    if details[0]["type"] == "missing":  # a mistyped name is the cause, the missing one the effect
        details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    errors: list[JsonValue] = [
        {"path": _path(detail), "message": _said(model, detail)} for detail in details[:_MAX_ERRORS]
    ]
    where, what = _path(details[0]), _said(model, details[0])
    sentence = f"{where}: {what}" if where else what
    kind = details[0]["type"]
    raise ApiError(kind if CODES.get(kind) == INVALID_PARAMS else "invalid_params", sentence, errors=errors)


def _said(model: type[BaseModel], detail: ErrorDetails) -> str:
    sentence = sentence_of(detail)
    if detail["type"] != "extra_forbidden":
        return sentence
    *where, typed = detail["loc"]
    known = {name for each in _models_at(model, where) for name in _names(each)}
    return sentence + did_you_mean(str(typed), sorted(known))


def _models_at(model: type[BaseModel], where: list[int | str]) -> list[type[BaseModel]]:
    """The models that may stand at a place inside of `model`; list positions and tags choose none."""
    found = [model]
    for part in where:
        annotations = [field.annotation for each in found for name, field in _names(each).items() if name == part]
        if annotations:
            found = [inner for annotation in annotations for inner in _models_in(annotation)]
    return found


def _names(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


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
