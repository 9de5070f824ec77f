"""Describes what is wrong with a value in plain words, where pydantic speaks of Python, "input" and types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

_SAID: Mapping[str, str | Callable[[Mapping[str, Any]], str]] = {
    "extra_forbidden": "there is no such parameter",
    "missing": "is required",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "tuple_type": "must be an array",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "path_type": "must be the path of a file",
    "greater_than_equal": lambda said: f"must be at least {said['ge']}",
    "less_than_equal": lambda said: f"must be at most {said['le']}",
    "too_short": lambda said: f"must have at least {_items(said['min_length'])}",
    "too_long": lambda said: f"must have at most {_items(said['max_length'])}",
    "string_too_short": lambda said: f"must have at least {_characters(said['min_length'])}",
    "string_too_long": lambda said: f"must have at most {_characters(said['max_length'])}",
    "literal_error": lambda said: f"must be {said['expected'].replace(chr(39), '')}",
}


def sentence_of(detail: ErrorDetails) -> str:
    """What must change, as the end of a sentence that begins with the name; never repeats the value."""
    said = _SAID.get(detail["type"], detail["msg"])
    return said if isinstance(said, str) else said(detail["ctx"])


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _characters(count: int) -> str:
    return f"{count} character" if count == 1 else f"{count} characters"
