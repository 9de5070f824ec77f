"""The command's knowledge of the API: a small file made from the table of methods (`rpc.schema.generate_cli`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_FILE: Final = Path(__file__).with_name("api.json")


class Param(NamedTuple):
    """`kind`: text, list, time or json. `wanted`: the form of a value, in words. `values`: what completion offers."""

    kind: str
    wanted: str
    secret: bool = False
    values: Sequence[str] = ()


class MethodEntry(NamedTuple):
    """One method; `help` has a line for each parameter and each member inside it."""

    name: str
    section: str
    summary: str
    scope: str
    websocket: bool
    params: Mapping[str, Param]
    help: Sequence[str]
    example: str


def _read() -> tuple[dict[str, MethodEntry], dict[str, str]]:
    said = json.loads(_FILE.read_bytes())
    methods = {
        name: MethodEntry(
            name=name, **{**told, "params": {key: Param(**param) for key, param in told["params"].items()}}
        )
        for name, told in said["methods"].items()
    }
    return methods, said["events"]


METHODS, EVENTS = _read()
