"""Writes docs/rpc.md from the table: `python -m rpc.generate_docs`. A test holds the file to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rpc.caller import Scope
from rpc.errors import REASONS
from rpc.methods.method import Method
from rpc.models.events import EVENTS
from rpc.openrpc import document
from rpc.table import SECTIONS

PAGE: Final = Path(__file__).parent.parent / "docs" / "rpc.md"

_HEAD: Final = """# The API, method by method

Written by `python -m rpc.generate_docs` from the same table that the daemon serves, so it cannot be out of date.
How to use it is in [wallets.md](wallets.md); the same description for programs is `rpc.discover` (OpenRPC).

Calls are JSON-RPC 2.0 with params by name, to `POST /rpc` or over the WebSocket at `/ws`. Times and durations are whole
milliseconds, amounts whole satoshis, bytes lower-case hex. Methods marked *changes* also answer `seq`, the position of
the event log after the change, and take an `idempotencyKey` unless they carry a secret.
"""
_SCOPES: Final = {
    Scope.READ: "get, list, find, events",
    Scope.DISCOVER: "`read`, and advertise, withdraw, follow transaction types",
    Scope.SIGN: "`read`, and requests and sessions",
    Scope.ADMIN: "everything",
}


def page() -> str:
    """The text of docs/rpc.md."""
    described = document("")
    methods = {each["name"]: each for each in described["methods"]}
    schemas = described["components"]["schemas"]
    parts = [_HEAD, _scopes()]
    for title, section in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [_method(method, methods[method.name], schemas) for method in section]
    return "\n".join([*parts, _events(), _errors()])


def _scopes() -> str:
    rows = "".join(f"| `{scope}` | {what} |\n" for scope, what in _SCOPES.items())
    return f"| scope | a token with it may |\n|---|---|\n{rows}"


def _method(method: Method, described: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    marks = [f"scope `{method.scope}`"]
    marks += ["changes"] if method.changes else []
    marks += ["WebSocket only"] if method.websocket else []
    marks += ["not with a token bound to keys"] if method.whole_daemon else []
    marks += ["or a token with createKey"] if method.makes_key else []
    call = {"jsonrpc": "2.0", "id": 1, "method": method.name, "params": method.example}
    answer = {"jsonrpc": "2.0", "id": 1, "result": method.answer}
    lines = [f"### {method.name}", "", method.summary, "", f"*{'; '.join(marks)}*", ""]
    lines += [*_table("parameter", list(_params(described, schemas)))]
    lines += [*_table("result", list(_results(method, schemas)))]
    lines += ["<details><summary>Example</summary>", "", "```json", _pretty(call), "```", "```json", _pretty(answer)]
    return "\n".join([*lines, "```", "</details>", ""])


def _table(title: str, rows: list[str]) -> list[str]:
    return [f"| {title} | type | |", "|---|---|---|", *rows, ""] if rows else []


def _params(described: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    for each in described["params"]:
        yield _row(each["name"], each["schema"], schemas, required=each["required"])


def _results(method: Method, schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = schemas[method.result.__name__]
    for name, member in schema.get("properties", {}).items():
        yield _row(name, member, schemas, required=name in schema.get("required", ()))


def _row(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], *, required: bool) -> str:
    said = schema.get("description", "")
    return f"| `{name}{'' if required else '?'}` | {_type(schema, schemas)} | {said} |"


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """A type in a few words; nested objects by the names of their members."""
    if "$ref" in schema:
        return _object(schemas[schema["$ref"].rpartition("/")[2]])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(_type(each, schemas) for each in schema[choice]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"array of {_type(schema.get('items', {}), schemas)}"
    pattern = schema.get("pattern")
    return f"string `{pattern}`".replace("|", "\\|") if pattern else str(schema.get("type", "any"))


def _object(schema: Mapping[str, Any]) -> str:
    if "properties" not in schema:
        return str(schema.get("type", "any"))
    required = schema.get("required", ())
    return "{" + ", ".join(name if name in required else f"{name}?" for name in schema["properties"]) + "}"


def _events() -> str:
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in EVENTS.items())
    return f"## What events there are\n\n| event | when, and its data |\n|---|---|\n{rows}"


def _errors() -> str:
    rows = "".join(f"| {code} | {', '.join(f'`{each}`' for each in reasons)} |\n" for code, reasons in REASONS.items())
    return f"## Errors\n\n`data.reason` is stable; the message is for people.\n\n| code | reasons |\n|---|---|\n{rows}"


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2)


def main() -> None:
    """Writes the file."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
