"""What is written about the API against the API: OpenRPC, docs/rpc.md and the list of API methods."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # has no annotations; used in this file alone
import pytest
from jsonschema.validators import Draft202012Validator  # type: ignore[import-untyped]  # as above
from rpc_world import World

from rpc.errors import CODES, REASONS, ApiError
from rpc.generate_docs import PAGE, page
from rpc.methods.method import Method
from rpc.models.events import EVENTS
from rpc.openrpc import document
from rpc.table import METHODS

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())

EXTENSIBLE = {"patternProperties": {"^x-": {}}, "additionalProperties": False, "type": "object"}
TEXT = {"type": "string"}
REFERENCE = {
    "type": "object",
    "required": ["$ref"],
    "additionalProperties": False,
    "properties": {"$ref": {"type": "string", "pattern": "^#/components/"}},
}
DESCRIPTOR = {
    **EXTENSIBLE,
    "required": ["name", "schema"],
    "properties": {
        "name": {**TEXT, "minLength": 1},
        "schema": {"type": ["object", "boolean"]},
        "required": {"type": "boolean"},
        "summary": TEXT,
        "description": TEXT,
        "deprecated": {"type": "boolean"},
    },
}
EXAMPLE = {**EXTENSIBLE, "required": ["name", "value"], "properties": {"name": TEXT, "value": {}, "summary": TEXT}}
PAIRING = {
    **EXTENSIBLE,
    "required": ["name", "params"],
    "properties": {"name": TEXT, "params": {"type": "array", "items": EXAMPLE}, "result": EXAMPLE, "summary": TEXT},
}
METHOD = {
    **EXTENSIBLE,
    "required": ["name", "params"],
    "properties": {
        "name": {**TEXT, "minLength": 1},
        "summary": TEXT,
        "description": TEXT,
        "paramStructure": {"enum": ["by-position", "by-name", "either"]},
        "params": {"type": "array", "items": DESCRIPTOR},
        "result": DESCRIPTOR,
        "errors": {"type": "array", "items": REFERENCE},
        "examples": {"type": "array", "items": PAIRING},
        "deprecated": {"type": "boolean"},
    },
}
INFO = {
    **EXTENSIBLE,
    "required": ["title", "version"],
    "properties": {"title": TEXT, "version": TEXT, "description": TEXT, "license": {"type": "object"}},
}
ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {"code": {"type": "integer"}, "message": TEXT, "data": {}},
}
# The parts of OpenRPC 1.3 that this document uses, as its specification defines them.
OPENRPC = {
    **EXTENSIBLE,
    "required": ["openrpc", "info", "methods"],
    "properties": {
        "openrpc": {"const": "1.3.2"},
        "info": INFO,
        "methods": {"type": "array", "items": METHOD},
        "components": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "schemas": {"type": "object"},
                "errors": {"type": "object", "additionalProperties": ERROR},
            },
        },
    },
}


async def test_described_api_is_valid_openrpc_and_names_every_method(world: World) -> None:
    described = await world.result("rpc.discover")
    jsonschema.validate(described, OPENRPC)
    assert [each["name"] for each in described["methods"]] == list(METHODS)
    for name, schema in described["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name
    for reference in references(described):
        target: Any = described
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [each for item in value for each in references(item)]
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
    return own + [each for item in value.values() for each in references(item)]


@every_method
def test_examples_are_valid_under_the_described_schemas(method: Method) -> None:
    described = document("")
    entry = next(each for each in described["methods"] if each["name"] == method.name)
    components = {"components": described["components"]}
    for param in entry["params"]:
        if param["name"] in method.example:
            jsonschema.validate(method.example[param["name"]], {**components, **param["schema"]})
        else:
            assert not param["required"]
    jsonschema.validate(method.answer, {**components, **entry["result"]["schema"]})


def test_reference_in_the_docs_is_what_the_table_says() -> None:
    assert PAGE.read_text() == page(), "run python -m rpc.generate_docs"


@every_method
def test_summary_is_a_sentence(method: Method) -> None:
    assert method.summary.endswith(".")
    assert "\n" not in method.summary


def test_reasons_have_one_code_each_and_codes_are_in_the_range_for_applications() -> None:
    assert len(CODES) == sum(len(reasons) for reasons in REASONS.values())
    assert all(-32700 <= code <= -32001 for code in CODES.values())
    refusal = ApiError("rate_limited", "Wait.", retryAfterMs=5)
    assert refusal.to_json() == {
        "code": -32004,
        "message": "Wait.",
        "data": {"reason": "rate_limited", "retryAfterMs": 5},
    }


def test_event_names_have_a_group_and_a_name() -> None:
    assert all(name.count(":") == 1 for name in EVENTS)
