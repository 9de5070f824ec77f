"""The generated files of the TypeScript client against the API's description."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from rpc.schema.generate_typescript import FOLDER, files
from rpc.schema.typescript import interface

PROJECT = Path(__file__).parents[3]


def test_the_generated_files_are_what_the_generator_writes() -> None:
    written = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert written == files(), "run python -m rpc.schema.generate_typescript"


def test_the_kit_is_released_at_the_version_of_the_daemon() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    package = json.loads((PROJECT / "clients/typescript/package.json").read_text())
    locked = json.loads((PROJECT / "clients/typescript/package-lock.json").read_text())
    assert package["version"] == locked["version"] == project["version"]
    assert "dependencies" not in package


def test_limits_that_a_type_cannot_express_stand_in_a_safe_comment() -> None:
    amount = {"type": "integer", "minimum": 1, "maximum": 9, "description": "satoshis */ alert()"}
    schema = {"properties": {"x-amount": amount, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    assert interface("Paid", schema, params=True).splitlines() == [
        "export interface Paid {",
        "  /** satoshis * / alert(); integer (1 to 9) */",
        '  "x-amount"?: number;',
        "  note?: string;",
        "}",
    ]


def test_a_method_without_params_takes_none() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    assert interface("NoParams", schema, params=True) == "export type NoParams = Record<string, never>;"
