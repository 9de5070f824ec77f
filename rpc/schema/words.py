"""What the schemas of the API say, in a few words: for the pages of the docs and the help of the CLI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import orjson

from rpc.models.values import MAX_INTEGER
from rpc.models.wire import LATER

Schema: TypeAlias = Mapping[str, Any]
NameObject: TypeAlias = Callable[[str], str]  # how an object is called, by the name of its schema

ABSENT = "absent in the answer of an older daemon"
_NULL = {"type": "null"}
_HEX = re.compile(r"\^\[0-9a-f\]\{(\d+)\}\$")
_KNOWN_PATTERNS = {
    "^(?:[0-9a-f]{2})*$": "hex",
    "^0[23][0-9a-f]{64}$": "public key (33 bytes hex)",
    "^[ -~]{1,64}$": "text (1 to 64 printable ASCII characters)",
    "^[a-z0-9-]{1,32}$": "name (1 to 32 of a-z, 0-9, -)",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object. `path` is dotted below the first level, `[]` marks the items of an array."""

    path: str
    required: bool
    kind: str
    description: str


def always_there(schema: Schema) -> frozenset[str]:
    """The members that every daemon of this API version gives: the required ones, but for those that came later."""
    given = schema.get("properties", {})
    return frozenset(name for name in schema.get("required", ()) if not given.get(name, {}).get(LATER))


def members(schema: Schema, name_object: NameObject) -> Iterator[Member]:
    """The members of an object's schema."""
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield described(name, member, name_object, required=name in required)


def deep_members(schema: Schema, schemas: Mapping[str, Schema], path: str = "") -> Iterator[Member]:
    """The same, and behind each member those of the objects inside it."""
    for member, inner in zip(members(schema, _object), schema.get("properties", {}).values(), strict=True):
        yield replace(member, path=path + member.path)
        for name in dict.fromkeys(objects_in(inner)):
            below = f"{path}{member.path}{'[]' if member.kind.startswith('array') else ''}."
            yield from deep_members(schemas[name], schemas, below)


def _object(schema_name: str) -> str:
    return "object"


def described(name: str, schema: Schema, name_object: NameObject, *, required: bool) -> Member:
    """One member, its default included."""
    kind = kind_of(schema if required else _without_null(schema), name_object)
    if schema.get("default") not in (None, [], ()):
        kind += f"; default {_value(schema['default'])}"
    return Member(name, required, kind, schema.get("description", ""))


def kind_of(schema: Schema, name_object: NameObject) -> str:
    """A type with its range or its values."""
    if "$ref" in schema:
        return name_object(schema["$ref"].rpartition("/")[2])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(kind_of(each, name_object) for each in schema[choice]))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    match schema.get("type", "any"):
        case "array":
            item = kind_of(schema.get("items", {}), name_object)
            return f"array{_range(schema, 'minItems', 'maxItems')} of {item}"
        case "integer":
            return "integer" + _range(schema, "minimum", "maximum")
        case "string":
            return _text(schema)
        case kind:
            return str(kind)


def objects_in(schema: Schema) -> Iterator[str]:
    """The names of the objects that a schema mentions, in order."""
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2]
    nested = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("properties", {}).values()]
    for each in [*nested, *([schema["items"]] if "items" in schema else [])]:
        yield from objects_in(each)


def _without_null(schema: Schema) -> Schema:
    """null is as good as absent for an optional member, unless what is absent has a value of its own."""
    if "anyOf" not in schema or schema.get("default") is not None:
        return schema
    return {**schema, "anyOf": [each for each in schema["anyOf"] if each != _NULL]}


def _text(schema: Schema) -> str:
    pattern = schema.get("pattern")
    if pattern is None:
        return "text" + _range(schema, "minLength", "maxLength", " characters")
    hexes = _HEX.fullmatch(pattern)
    return f"{int(hexes[1]) // 2} bytes hex" if hexes else _KNOWN_PATTERNS.get(pattern, f"text `{pattern}`")


def _range(schema: Schema, low: str, high: str, unit: str = "") -> str:
    least, most = schema.get(low), schema.get(high)
    if most in (None, MAX_INTEGER):
        return f" (from {least}{unit})" if least else ""
    return f" ({least} to {most}{unit})" if least is not None else f" (at most {most}{unit})"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        value = {name: each for name, each in value.items() if each is not None}
    return f"`{orjson.dumps(value).decode()}`"
