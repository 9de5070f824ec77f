"""Writes the generated files of the Python kit; a test holds them to the document."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from rpc.methods.audit import AUDIT
from rpc.methods.discovery import DISCOVERY
from rpc.methods.events import EVENTS
from rpc.methods.keys import KEYS, PURE
from rpc.methods.method import Method
from rpc.methods.node import NODE, TOKENS
from rpc.methods.policy import APPROVALS, POLICY
from rpc.methods.signing import REQUESTS, SESSIONS
from rpc.methods.unwanted import UNWANTED
from rpc.schema.openrpc import changing, document
from rpc.schema.python_kit.calls import changing_file, errors_file, methods_file
from rpc.schema.python_kit.names import refs
from rpc.schema.python_kit.shapes import models_file, shared_out
from rpc.schema.python_kit.source import KIT

SECTIONS: Final[Mapping[str, tuple[Method, ...]]] = {
    "node": (*NODE, *TOKENS, *AUDIT),
    "keys": (*KEYS, *PURE),
    "discovery": DISCOVERY,
    "requests": (*REQUESTS, *UNWANTED, *APPROVALS, *POLICY),
    "sessions": SESSIONS,
    "events": EVENTS,
}


def files() -> dict[str, str]:
    """Every generated file of the kit by its path in the package."""
    said = document(version("musigd"))
    schemas = said["components"]["schemas"]
    by_name = {method["name"]: method for method in said["methods"]}
    sections = {name: [by_name[each.name] for each in methods] for name, methods in SECTIONS.items()}
    shares = shared_out(sections, schemas)
    asked = _reached([method["params"] for method in said["methods"]], schemas)
    made = {f"models/{name}.py": models_file(name, shares, schemas, asked) for name in SECTIONS}
    for face in ("methods", "sync"):
        for name, methods in sections.items():
            here = [each for each in methods if face == "methods" or not each["x-websocket-only"]]
            made[f"{face}/{name}.py"] = methods_file(face, name, here, shares, schemas)
    made["methods/changing.py"] = changing_file(*changing(said))
    return made | {"errors.py": errors_file(said["components"]["errors"])}


def _reached(schema: object, schemas: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
    """Names of the schemas that one mentions, and of those inside them."""
    found: set[str] = set()
    waiting = list(refs(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += refs(schemas[name])
    return frozenset(found)


def main() -> None:
    """Writes them."""
    for path, text in files().items():
        (KIT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
