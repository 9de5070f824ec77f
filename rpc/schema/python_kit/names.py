"""How the API's names and types are written in Python."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_PLAIN: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
RAW: Final = "Mapping[str, Any]"


def snake(name: str) -> str:
    """`publicKeys` as `public_keys`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda upper: "_" + upper[1].lower(), name).rpartition(".")[2]


def member_name(name: str) -> str:
    """The same, but no word of the language."""
    found = snake(name)
    return f"{found}_" if keyword.iskeyword(found) else found


def argument_name(name: str) -> str:
    """The same, and beside the names that Python itself has."""
    found = member_name(name)
    return f"{found}_" if found in dir(builtins) else found


def class_name(reason: str) -> str:
    """`not_found` as `NotFound`."""
    return "".join(part.capitalize() for part in reason.split("_"))


def refs(schema: Any) -> Iterator[str]:
    """Names of the schemas that one mentions, in order."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for each in schema.values():
            yield from refs(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from refs(each)


def kinds(schema: Schema, sequence: str, raw: frozenset[str] = frozenset()) -> list[str]:
    """The alternatives of a type. `sequence`: an array, `{}` for its items; `raw`: objects that stay JSON."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [RAW if name in raw else name]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return none_last(kind for each in schema[choice] for kind in kinds(each, sequence, raw))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return [f"Literal[{', '.join(_literal(value) for value in values)}]"]
    match schema.get("type"):
        case "array":
            return [sequence.format(" | ".join(kinds(schema.get("items", {}), sequence, raw)))]
        case "object":
            values = schema.get("additionalProperties")
            inner = " | ".join(kinds(values, sequence, raw)) if isinstance(values, Mapping) else "Any"
            return [f"Mapping[str, {inner}]"]
        case str(kind):
            return [_PLAIN[kind]]
    return ["Any"]


def none_last(parts: Iterable[str]) -> list[str]:
    """Each once, None behind the others."""
    return sorted(dict.fromkeys(parts), key=lambda part: part == "None")


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
