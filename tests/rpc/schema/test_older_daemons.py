"""A kit of this version reads what older daemons of the same API version answer."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from musigd_client.record import Record
from musigd_client.wire import decoded
from rpc.methods.table import METHODS
from rpc.schema.openrpc import document
from rpc.schema.words import always_there
from tests.rpc.schema.first_members import answered, kept

SCHEMAS: Mapping[str, Any] = document("0")["components"]["schemas"]


def kit_classes() -> Iterator[tuple[str, type[Any]]]:
    for section in ("discovery", "events", "keys", "node", "requests", "sessions"):
        found = vars(importlib.import_module(f"musigd_client.models.{section}"))
        yield from ((name, each) for name, each in found.items() if isinstance(each, type) and issubclass(each, Record))


KINDS = dict(kit_classes())


def as_before(value: Any, schema: Mapping[str, Any]) -> Any:
    """An answer without the members that older daemons do not give."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if not isinstance(value, dict):
        return value
    given, always = schema.get("properties", {}), always_there(schema)
    return {name: as_before(each, given.get(name, {})) for name, each in value.items() if name in always}


def test_no_answer_has_got_a_member_since_that_older_daemons_lack_and_kits_require() -> None:
    before = kept()
    for name, members in answered().items():
        assert name in before, f"run python -m tests.rpc.schema.first_members, which adds {name}"
        more = set(members) - set(before[name])
        assert not more, (
            f"{name} got {more}: an older daemon lacks it, so make it optional, or `= later()` in rpc/models"
        )


def test_some_member_came_later_so_that_the_rule_is_tried() -> None:
    assert "reachability" in SCHEMAS["Info"]["required"]
    assert "reachability" not in answered()["Info"]


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.result.__name__ in KINDS])
def test_the_python_kit_reads_the_answer_of_a_daemon_that_lacks_what_came_later(name: str) -> None:
    method = METHODS[name]
    kind = KINDS[method.result.__name__]
    assert isinstance(decoded(kind, as_before(method.answer, SCHEMAS[kind.__name__])), kind)


def test_what_an_older_daemon_does_not_say_is_none() -> None:
    info = KINDS["Info"]
    older = as_before(METHODS["getInfo"].answer, SCHEMAS["Info"])
    assert "reachability" not in older
    assert decoded(info, older).reachability is None
    assert decoded(info, METHODS["getInfo"].answer).reachability.verdict
