"""Writes docs/rpc.md from the table: `python -m rpc.schema.generate_docs`. A test holds the file to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from rpc.caller import Scope
from rpc.errors import REASONS
from rpc.methods.method import Method
from rpc.methods.table import METHODS, SECTIONS
from rpc.models.event_kinds import EVENTS
from rpc.schema.openrpc import document
from rpc.schema.words import Member, members, objects_in
from rpc.schema.words import described as described_member

PAGE: Final = Path(__file__).parents[2] / "docs" / "rpc.md"

_HEAD: Final = """# The API, method by method

Written by `python -m rpc.schema.generate_docs` from the same table that the daemon serves, so it cannot be out of date.
How to use it is in [wallets.md](wallets.md); the same description for programs is `rpc.discover` (OpenRPC).

Calls are JSON-RPC 2.0 with params by name, to `POST /rpc` or over the WebSocket at `/ws`. Times and durations are whole
milliseconds, amounts whole satoshis, bytes lower-case hex. Methods marked *changes* also answer `seq`, the position of
the event log after the change, and take an `idempotencyKey` unless they carry a secret. The limits are in
[limits.md](limits.md).
"""
_EVENTS_HEAD: Final = """## What events there are

Beside what the table names, the data hold `publicKeys`, the own keys concerned, where there are any; those of requests
and sessions also `requestId`, `sessionId` and `attempt`. A name with `?` is not always there.

"""
_SCOPES: Final = {
    Scope.READ: "get, list, find, events",
    Scope.DISCOVER: "`read`, and advertise, withdraw, follow transaction types",
    Scope.SIGN: "`read`, and requests and sessions, as far as a policy allows them by itself",
    Scope.APPROVE: "`read`, and approve or decline what waits for its owner",
    Scope.WEBHOOK: "`read`, and have events posted to a URL; a token bound to keys has this only where it is named",
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
    return "\n".join([*parts, _values(schemas), _events(), _errors()])


def _scopes() -> str:
    rows = "".join(f"| `{scope}` | {what} |\n" for scope, what in _SCOPES.items())
    return f"| scope | a token with it may |\n|---|---|\n{rows}"


def _method(method: Method, described: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    scopes = [scope for scope in (method.scope, method.or_scope) if scope is not None]
    marks = ["scope " + " or ".join(f"`{scope}`" for scope in scopes)]
    marks += ["changes"] if method.changes else []
    marks += ["WebSocket only"] if method.websocket else []
    marks += ["not with a token bound to keys"] if method.whole_daemon else []
    marks += ["or a token with createKey"] if method.makes_key else []
    call = {"jsonrpc": "2.0", "id": 1, "method": method.name, "params": method.example}
    answer = {"jsonrpc": "2.0", "id": 1, "result": method.answer}
    lines = [f"### {method.name}", "", method.summary, "", f"*{'; '.join(marks)}*", ""]
    params = (
        described_member(each["name"], each["schema"], _link, required=each["required"]) for each in described["params"]
    )
    lines += [*_table("parameter", params), *_table("result", members(schemas[method.result.__name__], _link))]
    lines += ["<details><summary>Example</summary>", "", "```json", _pretty(call), "```", "```json", _pretty(answer)]
    return "\n".join([*lines, "```", "</details>", ""])


def _table(title: str, rows: Iterable[Member]) -> list[str]:
    told = [f"| {_name(row.path, row.required)} | {_cell(row.kind)} | {_cell(row.description)} |" for row in rows]
    return [f"| {title} | type | |", "|---|---|---|", *told, ""] if told else []


def _name(name: str, required: bool) -> str:
    return f"`{name}{'' if required else '?'}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _link(schema_name: str) -> str:
    return f"[{schema_name}](#{schema_name.lower()})"


def _values(schemas: Mapping[str, Any]) -> str:
    """Every object that stands inside params and results, once."""
    named: dict[str, None] = {}
    tops = [model.__name__ for method in METHODS.values() for model in (method.params, method.result)]
    waiting = [name for top in tops for name in objects_in(schemas[top])]
    while waiting:
        name = waiting.pop(0)
        if name not in named:
            named[name] = None
            waiting += objects_in(schemas[name])
    return "\n".join(["## Values\n", *(_value(name, schemas[name]) for name in sorted(named))])


def _value(name: str, schema: Mapping[str, Any]) -> str:
    said = _cell(schema.get("description", ""))
    return "\n".join([f"### {name}", "", said, "", *_table("member", members(schema, _link))])


def _events() -> str:
    rows = "".join(
        f"| `{name}` | {kind.when} | {', '.join(f'`{member}`' for member in kind.data)} |\n"
        for name, kind in EVENTS.items()
    )
    return f"{_EVENTS_HEAD}| event | when | data |\n|---|---|---|\n{rows}"


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
