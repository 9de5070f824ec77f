"""A wallet's metadata goes into a record and comes out the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musig2.protocol.records.cbor import MAX_UINT
from musig2.protocol.records.codec import decode_payload, encode_payload
from musig2.protocol.records.open_maps import open_from_json, open_to_json
from tests.protocol.record_strategies import texts
from tests.protocol.records_world import advertisement

names = texts.filter(lambda name: len(name.encode()) <= 24)


def json_values(levels: int) -> st.SearchStrategy[Any]:
    plain: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(0, MAX_UINT) | texts
    if levels == 0:
        return plain
    return plain | st.lists(json_values(levels - 1), max_size=3) | json_maps(levels)


def json_maps(levels: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names, json_values(levels - 1), max_size=3)


def through_a_record(metadata: dict[str, Any]) -> Any:
    """JSON to record to bytes to record to JSON."""
    record = advertisement(metadata=open_from_json(json.loads(json.dumps(metadata))))
    again: Any = decode_payload("advertisement", encode_payload(record))
    return open_to_json(again.metadata or {})


@given(json_maps(5))
def test_json_survives_a_record(metadata: dict[str, Any]) -> None:
    assert through_a_record(metadata) == metadata


def test_metadata_of_wallets_survives() -> None:
    metadata = {
        "nickname": "Zoë 🦊",
        "fees": 0,
        "purpose": "atomic-swap",
        "responseTime": 1_500,
        "reputation": {"score": 95, "completedSignings": 12, "verifiedIdentity": False, "averageResponseTime": None},
        "spentOutputs": [{"value": 5_000_000_000, "script": "5120" + "00" * 32}, {"value": 1, "script": ""}],
        "transactionHex": "02" * 20_000,
        "anything": [[], {}, [[1]]],
    }
    assert through_a_record(metadata) == metadata


def test_a_whole_number_written_as_a_float_is_that_number() -> None:
    assert open_from_json({"reputation": {"score": 95.0}, "zero": -0.0}) == {"reputation": {"score": 95}, "zero": 0}


@pytest.mark.parametrize(
    ("metadata", "place"),
    [
        ({"fees": -1}, r"metadata\.fees: a number"),
        ({"reputation": {"score": 95.5}}, r"metadata\.reputation\.score: a number"),
        ({"list": [0, {"x": 1 << 53}]}, r"metadata\.list\[1\]\.x: a number"),
        ({"x": float("nan")}, r"metadata\.x: a number"),
        ({"x": float("inf")}, r"metadata\.x: a number"),
        ({"x": {"k" * 25: 1}}, r"metadata\.x\.k+\.\.\.: a name"),
        ({"x": "\ud800"}, r"metadata\.x: holds half a character"),
        ({"x": {1: 1}}, r"metadata\.x: a name must be text"),
        ({"x": Path()}, r"metadata\.x: only JSON values"),
        ({"x": [[[[[1]]]]]}, r"metadata\.x\[0\]\[0\]\[0\]\[0\]: nested too deeply"),
        ({"u\u0308": 1, "\u00fc": 2}, r"metadata\.\u00fc: this name stands there twice"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_a_record_cannot_hold_is_a_value_error_that_names_the_place(metadata: Any, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        open_from_json(metadata)


def test_text_is_brought_into_nfc() -> None:
    assert open_from_json({"nickname": "Zoe\u0308"}) == {"nickname": "Zo\u00eb"}


def test_json_of_any_depth_is_refused_and_not_followed() -> None:
    deep: Any = 0
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        open_from_json({"x": deep})


def test_byte_strings_of_other_programs_are_shown_as_hex() -> None:
    assert open_to_json({"x": (b"\x00\xff", {"y": b""})}) == {"x": ["00ff", {"y": ""}]}
