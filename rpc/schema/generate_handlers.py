"""Writes a Protocol for each group of handlers from the table of methods: `python -m rpc.schema.generate_handlers`.

mypy compares with them what serves the methods; a test holds them to the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from rpc.methods.audit import AUDIT
from rpc.methods.contacts import CONTACTS
from rpc.methods.discovery import DISCOVERY
from rpc.methods.events import DESCRIPTION, STREAM
from rpc.methods.keys import KEYS, PURE
from rpc.methods.method import Method
from rpc.methods.node import INFO, PEERS, SETTINGS, TOKENS
from rpc.methods.policy import APPROVALS, POLICY
from rpc.methods.signing import REQUESTS, SESSIONS
from rpc.methods.unwanted import UNWANTED
from rpc.methods.webhooks import WEBHOOKS
from rpc.schema.generate_answers import has_type

FILE: Final = Path(__file__).parents[1] / "handlers.py"
# What the program serves: one object for each group.
BACKEND: Final[Mapping[str, tuple[Method, ...]]] = {
    "info": INFO,
    "settings": SETTINGS,
    "peers": PEERS,
    "contacts": CONTACTS,
    "keys": KEYS,
    "tokens": TOKENS,
    "discovery": DISCOVERY,
    "requests": REQUESTS,
    "sessions": SESSIONS,
    "unwanted": UNWANTED,
    "approvals": APPROVALS,
    "policy": POLICY,
    "webhooks": WEBHOOKS,
    "audit": AUDIT,
}
# What this package serves itself.
OWN: Final[Mapping[str, tuple[Method, ...]]] = {"pure": PURE, "description": DESCRIPTION, "stream": STREAM}
_WIDTH: Final = 120


def source() -> str:
    """The text of `rpc/handlers.py`."""
    groups = {**BACKEND, **OWN}
    parts = [_head(groups), *(_protocol(name, methods) for name, methods in groups.items()), _backend()]
    parts += [_binding(name, methods) for name, methods in groups.items()]
    return "\n\n\n".join((*parts, _all())) + "\n"


def _head(groups: Mapping[str, Sequence[Method]]) -> str:
    used = {model.__module__ for methods in groups.values() for each in methods for model in (each.params, each.result)}
    lines = [
        '"""What serves the methods: a Protocol for each group, and which handler serves which method.',
        "",
        "Written by `python -m rpc.schema.generate_handlers` from the table. A handler whose method takes an",
        "idempotency key is given the place where its answer is kept, or None for a call without a key.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "from typing import Protocol",
        "",
        "from rpc import answers",
        "from rpc.caller import Caller",
        "from rpc.calls.call import CallContext",
        f"from rpc.models import {', '.join(sorted(module.removeprefix('rpc.models.') for module in used))}",
        "from rpc.ports import Handler, Once",
    ]
    return "\n".join(lines)


def _named(model: type[BaseModel]) -> str:
    return f"{model.__module__.removeprefix('rpc.models.')}.{model.__name__}"


def _protocol(group: str, methods: Sequence[Method]) -> str:
    named = ", ".join(method.name for method in methods)
    doc = f'    """{named}."""'
    if len(doc) > _WIDTH:
        doc = f'    """{methods[0].name} to {methods[-1].name}."""'
    return f"class {_class(group)}(Protocol):\n{doc}\n\n" + "\n".join(_method(group, method) for method in methods)


def _class(group: str) -> str:
    return f"{group.capitalize()}Handlers"


def _method(group: str, method: Method) -> str:
    first = "message: CallContext" if group == "stream" else "caller: Caller"
    given = ["self", first, f"params: {_named(method.params)}"]
    if method.idempotent:
        given.append("once: Once | None")
    result = _named(method.result)
    if has_type(method):  # such a handler may answer with JSON that is ready to go
        result += f" | answers.{method.result.__name__}"
    return _wrapped(f"    async def {method.attribute}(", given, f") -> {result}: ...")


def _wrapped(start: str, parts: Sequence[str], end: str) -> str:
    line = start + ", ".join(parts) + end
    return line if len(line) <= _WIDTH else f"{start}\n        {', '.join(parts)}\n    {end}"


def _backend() -> str:
    fields = "\n".join(f"    {group}: {_class(group)}" for group in BACKEND)
    doc = '    """Everything that the program serves."""'
    return f"@dataclass(frozen=True, slots=True)\nclass Backend:\n{doc}\n\n{fields}"


def _binding(group: str, methods: Sequence[Method]) -> str:
    entries = "".join(f'        "{method.name}": served.{method.attribute},\n' for method in methods)
    line = f"    return {{{', '.join(entry.strip().rstrip(',') for entry in entries.splitlines())}}}"
    body = line if len(line) <= _WIDTH and len(methods) == 1 else f"    return {{\n{entries}    }}"
    return (
        f"def {group}_handlers(served: {_class(group)}) -> dict[str, Handler]:\n"
        f'    """By the name of the method."""\n{body}'
    )


def _all() -> str:
    entries = "".join(f"        **{group}_handlers(backend.{group}),\n" for group in BACKEND)
    return (
        "def handlers_of(backend: Backend) -> dict[str, Handler]:\n"
        f'    """All of the program\'s, by the name of the method."""\n    return {{\n{entries}    }}'
    )


def main() -> None:
    """Writes the file."""
    FILE.write_text(source())


if __name__ == "__main__":
    main()
