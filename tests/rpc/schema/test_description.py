"""What is written about the API against the API: OpenRPC, docs/rpc.md and the list of API methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # has no annotations; used in this file alone
import pytest
from jsonschema.validators import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]  # as above
from referencing import Registry
from referencing.jsonschema import DRAFT7

from rpc.errors import CODES, REASONS, ApiError
from rpc.methods.method import Method
from rpc.methods.table import METHODS
from rpc.models.event_kinds import EVENTS
from rpc.schema.event_data import MEMBERS, members_of
from rpc.schema.generate_docs import PAGE, page
from rpc.schema.openrpc import document
from tests.rpc.rpc_world import World

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())

META_SCHEMAS = Path(__file__).parent / "meta_schemas"
JSON_SCHEMA = "https://meta.json-schema.tools"  # what the meta-schema of OpenRPC calls the other


def openrpc_validator() -> Draft7Validator:
    """OpenRPC's own meta-schema; nothing is fetched."""
    openrpc, json_schema = (
        json.loads((META_SCHEMAS / name).read_text()) for name in ("openrpc.json", "json_schema.json")
    )
    resource = DRAFT7.create_resource(json_schema)
    registry = Registry().with_resources([(JSON_SCHEMA, resource), (f"{JSON_SCHEMA}/", resource)])
    return Draft7Validator(openrpc, registry=registry)


async def test_described_api_is_valid_openrpc_and_names_every_method(world: World) -> None:
    described = await world.result("rpc.discover")
    openrpc_validator().validate(described)
    assert [each["name"] for each in described["methods"]] == list(METHODS)
    for name, schema in described["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name
    for reference in references(described):
        target: Any = described
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_meta_schema_refuses_what_is_not_openrpc() -> None:
    described = json.loads(json.dumps(document("")))
    described["methods"][0]["params"][:] = [{"name": "x"}]
    with pytest.raises(jsonschema.ValidationError):
        openrpc_validator().validate(described)


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
    assert PAGE.read_text() == page(), "run python -m rpc.schema.generate_docs"


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


def test_every_member_of_an_event_has_a_type_and_no_type_is_left_over() -> None:
    assert {member for event in EVENTS for member in members_of(event)} == set(MEMBERS)


def test_the_data_of_every_event_are_described_as_a_schema() -> None:
    for name, event in document("")["x-events"].items():
        Draft202012Validator.check_schema(event["schema"])
        assert set(event["schema"]["properties"]) == set(members_of(name))
