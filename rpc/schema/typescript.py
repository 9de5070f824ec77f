"""Schemas of the API in the words of TypeScript."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rpc.models.wire import LATER
from rpc.schema.words import ABSENT, Schema, always_there, described

_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
# Bytes as lower-case hex: a name says how many, the type is string.
ALIASES: Final[Mapping[str, tuple[str, str]]] = {
    "^0[23][0-9a-f]{64}$": ("PublicKey", "A compressed public key: 33 bytes as lower-case hex."),
    "^[0-9a-f]{64}$": ("Hex32", "32 bytes as lower-case hex."),
    "^[0-9a-f]{128}$": ("Hex64", "64 bytes as lower-case hex."),
    "^(?:[0-9a-f]{2})*$": ("Hex", "Whole bytes as lower-case hex."),
}
_SAID_BY_ALIAS: Final = ("(33 bytes hex)",)
_WIDTH: Final = 116


def interface(name: str, schema: Schema, *, params: bool) -> str:
    """An object's schema as an exported interface; anything else as a type of that name. `params`: it is sent."""
    if "properties" not in schema and schema.get("type") != "object":
        return f"{doc(schema.get('description', ''))}export type {name} = {kind_of(schema)};"
    if (
        not schema.get("properties") and schema.get("additionalProperties") is False
    ):  # an empty interface takes anything
        return f"{doc(schema.get('description', ''))}export type {name} = Record<string, never>;"
    lines = list(members_of(schema, params=params))
    return "\n".join([f"{doc(schema.get('description', ''))}export interface {name} {{", *lines, "}"])


def members_of(schema: Schema, *, params: bool, indent: str = "  ") -> Iterator[str]:
    """The members, each with what is said of it. Answers may grow members: TypeScript takes them without a word."""
    required = always_there(schema)
    for name, member in schema.get("properties", {}).items():
        said = described(name, member, _no_name, required=name in required)
        told = doc(_told(said.kind, said.description, member), indent)
        yield f"{told}{indent}{_member(name, member, name in required)}"
    if params and schema.get("additionalProperties") is True:
        yield f"{indent}[more: string]: unknown;"


def _member(name: str, schema: Schema, required: bool) -> str:
    """null is as good as absent for an optional member."""
    parts = [part for part in alternatives(schema) if required or part != "null"]
    name = name if name.isidentifier() else f'"{name}"'
    return f"{name}{'' if required else '?'}: {' | '.join(parts)};"


def _told(kind: str, description: str, schema: Schema) -> str:
    """What is said of a member, and the range or default that its type does not show."""
    for said in _SAID_BY_ALIAS:
        kind = kind.replace(said, "")
    ranged = "(" in kind or "; default" in kind
    absent = ABSENT if schema.get(LATER) else ""
    return "; ".join(part for part in (description, kind.strip() if ranged else "", absent) if part)


def _no_name(name: str) -> str:
    return name


def kind_of(schema: Schema) -> str:
    """A schema as a type."""
    return " | ".join(alternatives(schema))


def alternatives(schema: Schema) -> list[str]:
    """The types that a value may have, each once."""
    if "$ref" in schema:
        return [schema["$ref"].rpartition("/")[2]]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return list(dict.fromkeys(part for each in schema[choice] for part in alternatives(each)))
    if "enum" in schema or "const" in schema:
        return [json.dumps(each) for each in schema.get("enum", [schema.get("const")])]
    match schema.get("type"):
        case "array":
            item = kind_of(schema.get("items", {}))
            return [f"readonly ({item})[]" if " | " in item else f"readonly {item}[]"]
        case "string" if schema.get("pattern") in ALIASES:
            return [ALIASES[schema["pattern"]][0]]
        case "object":
            return [f"Record<string, {_values(schema)}>"]
        case str(plain):
            return [_PLAIN[plain]]
    return ["unknown"]


def _values(schema: Mapping[str, Any]) -> str:
    more = schema.get("additionalProperties")
    return kind_of(more) if isinstance(more, Mapping) else "unknown"


def doc(text: str, indent: str = "") -> str:
    """A comment in front of something, on one line where it fits; nothing when there is nothing to say."""
    words = text.replace("*/", "* /").split()
    if not words:
        return ""
    if len(line := f"{indent}/** {' '.join(words)} */") <= _WIDTH:
        return line + "\n"
    return f"{indent}/**\n" + "".join(f"{indent} * {line}\n" for line in _wrapped(words, _WIDTH - 8)) + f"{indent} */\n"


def _wrapped(words: list[str], width: int) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = ""
        line = f"{line} {word}" if line else word
    yield line
