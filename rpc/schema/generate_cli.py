"""Writes what `musig-cli` knows of the API from the table of methods: `python -m rpc.schema.generate_cli`.

The command would need half a second to load the models for one call; the text it needs of them is a small file. A test
holds it to its source.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import orjson
from pydantic.fields import FieldInfo

from rpc.methods.method import Method
from rpc.methods.table import SECTIONS
from rpc.models.event_kinds import EVENTS
from rpc.schema.openrpc import document
from rpc.schema.words import Member, deep_members
from rpc.sent_secret import SentSecret

TABLE: Final = Path(__file__).parents[1] / "cli" / "api.json"
TIMES: Final = frozenset({"expiresAt", "until"})  # params that are a moment
_WANTED: Final = (
    (bool, "true or false"),
    (int, "a whole number"),
    (tuple, "a list as JSON, or words separated by commas"),
)


def table() -> dict[str, Any]:
    """Methods by name, in the order of the documentation, and the names of events with their meaning."""
    schemas = document("")["components"]["schemas"]
    return {
        "methods": {
            method.name: _told(method, title, schemas) for title, methods in SECTIONS.items() for method in methods
        },
        "events": {name: kind.when for name, kind in EVENTS.items()},
    }


def text() -> bytes:
    """The file."""
    return orjson.dumps(table(), option=orjson.OPT_INDENT_2) + b"\n"


def _told(method: Method, section: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    fields = {str(info.alias): info for info in method.params.model_fields.values()}
    members = list(deep_members(schemas[method.params.__name__], schemas))
    return {
        "section": section,
        "summary": method.summary,
        "scope": method.scope,
        "websocket": method.websocket,
        "params": {name: _param(info) for name, info in fields.items()},
        "help": [_line(member, fields) for member in members],
        "example": _example(method, fields),
    }


def _param(info: FieldInfo) -> dict[str, Any]:
    """`kind`: text, list, time or json; `wanted`: what is said of anything else; `values`: what completion offers."""
    kinds = _kinds(info.annotation)
    if str in kinds or SentSecret in kinds:
        kind, wanted = "text", "text"
    else:
        kind = "list" if tuple in kinds else "json"
        kind = "time" if info.alias in TIMES else kind
        wanted = next((said for each, said in _WANTED if each in kinds), "an object as JSON")
        wanted = "milliseconds since 1970, or a date such as 2026-11-27 (UTC)" if kind == "time" else wanted
    told: dict[str, Any] = {"kind": kind, "wanted": wanted}
    if SentSecret in kinds:
        told["secret"] = True
    values = [*_words(info.annotation), *(["true", "false"] if bool in kinds else [])]
    return told | ({"values": values} if values else {})


def _words(annotation: Any) -> Iterator[str]:
    """The words of every Literal in an annotation, those of list items too."""
    if get_origin(annotation) is Literal:
        yield from (word for word in get_args(annotation) if isinstance(word, str))
        return
    for part in get_args(annotation):
        yield from _words(part)


def _kinds(annotation: Any) -> set[Any]:
    """The types a value may have at its top; words of a Literal count as text."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kinds(parts[0])
    if origin in (Union, types.UnionType):
        return {kind for part in parts for kind in _kinds(part)}
    if origin is None:
        return {annotation}
    return {tuple} if origin is tuple else {str}


def _line(member: Member, fields: Mapping[str, FieldInfo]) -> str:
    notes = ["required"] if member.required else []
    if member.path in fields and SentSecret in _kinds(fields[member.path].annotation):
        notes.append("a secret: @FILE or -")
    notes += [member.description] if member.description else []
    return f"  {member.path:<30} {'; '.join([member.kind.replace('`', ''), *notes])}"


def _example(method: Method, fields: Mapping[str, FieldInfo]) -> str:
    words = [_word(name, value, fields[name]) for name, value in method.example.items()]
    return " ".join(["musig-cli", method.name, *words])


def _word(name: str, value: Any, info: FieldInfo) -> str:
    if SentSecret in _kinds(info.annotation):
        return f"{name}=@FILE"
    if isinstance(value, str):
        return f"{name}={value}" if " " not in value else f"{name}='{value}'"
    shown = orjson.dumps(value).decode()
    return f"{name}:='{shown}'" if isinstance(value, dict | list) else f"{name}={shown}"


if __name__ == "__main__":
    TABLE.write_bytes(text())
