"""Keeps the members that each answer had when it came: python -m tests.rpc.schema.first_members adds new answers.

A kit reads the answers of older daemons of its API version. So an answer that is there gets no further member that is
always there but by `rpc.models.wire.later`, or as an optional one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from rpc.schema.openrpc import document
from rpc.schema.python_kit.names import refs
from rpc.schema.words import always_there

KEPT: Final = Path(__file__).with_name("first_members.json")


def answered() -> dict[str, list[str]]:
    """The members that every answer and every object in one has for certain, and the data of every event."""
    api: Any = document("0")
    schemas = api["components"]["schemas"]
    found: dict[str, list[str]] = {}
    wanted = [name for method in api["methods"] for name in refs(method["result"])]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = sorted(always_there(schemas[name]))
            wanted += refs(schemas[name])
    events = {name: sorted(always_there(each["schema"])) for name, each in api["x-events"].items()}
    return dict(sorted({**found, **events}.items()))


def kept() -> dict[str, list[str]]:
    """What was written when each came."""
    members: dict[str, list[str]] = json.loads(KEPT.read_text())
    return members


if __name__ == "__main__":
    known = kept() if KEPT.exists() else {}
    KEPT.write_text(json.dumps({**answered(), **known}, sort_keys=True).replace("], ", "],\n ") + "\n")
