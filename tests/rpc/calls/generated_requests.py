"""Requests made by hypothesis: nonsense on every level, from bytes that are no JSON to params that nearly fit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from hypothesis import strategies as st

from rpc.methods.table import METHODS
from rpc.schema.openrpc import document

HUGE = [2**53, 2**63, 2**64, 10**400, -1, -(2**63), 1e308, 1.5, -0.0]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(HUGE),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=80),
    st.sampled_from(["02" + "aa" * 32, "ab" * 32, "AB" * 32, "lotus", "bip340", "\x00", "é" * 40]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=20), inner, max_size=5)),
    max_leaves=12,
)
ids = st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(max_size=20), scalars)


def near_params(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Params whose names are right, with values of the example or anything else, and a stranger now and then."""
    method = METHODS[name]
    described = next(each for each in document("")["methods"] if each["name"] == name)
    known = {each["name"]: st.one_of(st.just(method.example.get(each["name"])), values) for each in described["params"]}
    stranger = st.dictionaries(st.text(max_size=8), values, max_size=1)
    return st.builds(lambda fits, more: {**fits, **more}, st.fixed_dictionaries({}, optional=known), stranger)


def calls_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    params = st.one_of(near_params(name), st.just(dict(METHODS[name].example)), values)
    fits = {"jsonrpc": st.just("2.0"), "method": st.just(name), "id": ids, "params": params}
    return st.fixed_dictionaries(fits)


calls = st.one_of([calls_of(name) for name in sorted(METHODS)])
odd_calls = st.fixed_dictionaries({}, optional={"jsonrpc": values, "method": values, "id": values, "params": values})
messages = st.one_of(calls, calls, odd_calls, values, st.lists(st.one_of(calls, odd_calls, values), max_size=4))


def _text(value: Any) -> bytes:
    """JSON, with integers that orjson cannot write written all the same."""
    return json.dumps(value).encode()


def _spoiled(body: bytes, cut: int, put: bytes) -> bytes:
    at = cut % (len(body) + 1)
    return body[:at] + put + body[at + len(put) :]


def _doubled(body: bytes) -> bytes:
    return re.sub(rb'"method": ("[a-zA-Z.]*")', rb'"method": \1, "method": "getInfo"', body, count=1)


bodies = st.one_of(
    messages.map(_text),
    messages.map(_text),
    messages.map(_text).map(_doubled),
    st.builds(_spoiled, messages.map(_text), st.integers(0, 10_000), st.binary(min_size=1, max_size=3)),
    st.builds(lambda depth: b"[" * depth + b"]" * depth, st.integers(1, 2_000)),
    st.sampled_from([b"NaN", b"[NaN]", b'{"jsonrpc":"2.0","id":NaN}', b"Infinity", b"1e999", b"\xff\xfe", b""]),
    st.binary(max_size=60),
)


def assert_valid_reply(body: bytes | None) -> None:
    """A reply is nothing, a response or a list of responses, and never admits to an internal failure."""
    if body is None:
        return
    reply = orjson.loads(body)
    for response in reply if isinstance(reply, list) else [reply]:
        check_response(response)
    assert reply != []


def check_response(response: Mapping[str, Any]) -> None:
    assert response["jsonrpc"] == "2.0"
    assert set(response) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})
    assert response["id"] is None or type(response["id"]) in (int, str)
    if "error" in response:
        error = response["error"]
        assert set(error) == {"code", "message", "data"}
        assert error["code"] != -32603, error
        assert isinstance(error["data"]["reason"], str)
        assert len(error["message"]) < 1_000
        assert not re.search(r"\b(Input|Value error|pydantic|valid (string|integer|dict|list|tuple))", str(error)), (
            error
        )
