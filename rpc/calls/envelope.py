"""Parses the bytes of a message into JSON-RPC 2.0 calls, and refuses, item by item, whatever is not exactly that.

orjson parses; it refuses NaN, bad UTF-8 and lone surrogates. Of two members with one name it keeps the last, while
another reader may keep the first, so duplicates are detected: every member needs a colon, so if the text has no more
colons than the result has members, nothing was lost. Otherwise the slower parser of the standard library decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from config.text.nearest import did_you_mean
from config.text.plain_text import escaped
from rpc.errors import ApiError

MAX_DEPTH = 32
_LONGEST_SHOWN = 200
_NO_NUMBER = re.compile("-?(?:NaN|Infinity)", re.IGNORECASE)

CallId: TypeAlias = int | str | None  # null is an id like any other; no id at all makes a notification


@dataclass(frozen=True, slots=True)
class CallItem:
    """One call as it came; `params` are not yet looked at beyond being an object or an array."""

    method: str
    params: Any
    id: CallId
    notification: bool = False  # it came without an id, and is never answered


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """An item that is no valid call; it is answered with `problem`."""

    problem: ApiError
    id: CallId  # null if it is unknown
    notification = False  # an invalid item is always answered


Item: TypeAlias = CallItem | BrokenItem


def parse(body: bytes | str) -> Any:
    """The JSON value; raises ApiError `parse_error` or `invalid_request` (nested too deeply, a member twice)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        if _is_too_deep(problem):
            raise _too_deep() from problem
        raise ApiError("parse_error", _why_broken(body, problem)) from problem
    members = _members(value, 0)
    colons = body.count(b":") if isinstance(body, bytes) else body.count(":")
    if colons != members:
        json.loads(body, object_pairs_hook=_refuse_twice)
    return value


def items_of(value: Any, max_batch: int) -> Sequence[Item]:
    """The calls of a batch; raises ApiError for an empty one and for one that is too long."""
    if not value:
        raise ApiError("invalid_request", "A batch must hold at least one call.")
    if len(value) > max_batch:
        raise ApiError("too_many", f"A batch may hold {max_batch} calls; send several.", limit=max_batch)
    return [item_of(entry) for entry in value]


def item_of(entry: Any) -> Item:
    """One call, or what is wrong with it."""
    if type(entry) is not dict:
        return BrokenItem(_invalid("A call is an object with jsonrpc, method, params and id."), None)
    call_id = entry.get("id")
    if call_id is not None and type(call_id) is not int and type(call_id) is not str:
        return BrokenItem(_invalid("id must be a string, a whole number below 2^63, or null."), None)
    if entry.get("jsonrpc") != "2.0":
        return BrokenItem(_invalid('jsonrpc must be "2.0".'), call_id)
    if not entry.keys() <= _MEMBERS:
        return BrokenItem(_unknown_member(entry), call_id)
    method = entry.get("method")
    if type(method) is not str:
        return BrokenItem(_invalid("method must be a string."), call_id)
    params = entry.get("params")
    if params is None or params == []:  # they mean the same as no params at all
        params = _NO_PARAMS
    if type(params) is not dict and type(params) is not list:
        return BrokenItem(_invalid("params must be an object."), call_id)
    return CallItem(method, params, call_id, "id" not in entry)


_MEMBERS = frozenset({"jsonrpc", "method", "params", "id"})
_NO_PARAMS: dict[str, Any] = {}


def _invalid(sentence: str) -> ApiError:
    return ApiError("invalid_request", sentence)


def _unknown_member(entry: dict[str, Any]) -> ApiError:
    name = min(entry.keys() - _MEMBERS)
    said = f"{escaped(name[:_LONGEST_SHOWN])} is no member of a call{did_you_mean(name, sorted(_MEMBERS))}"
    return _invalid(f"{said}: it has jsonrpc, method, params and id.")


def _too_deep() -> ApiError:
    return _invalid(f"The body is nested more than {MAX_DEPTH} levels deep; send flatter params.")


def _members(value: Any, depth: int) -> int:
    """How many object members there are at all depths."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if type(value) is dict:
        count = len(value)
        for item in value.values():
            if type(item) is dict or type(item) is list:
                count += _members(item, depth + 1)
        return count
    if type(value) is list:
        return sum(_members(item, depth + 1) for item in value if type(item) is dict or type(item) is list)
    return 0


def _refuse_twice(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _invalid("An object in the body has two members of the same name.")


def _is_too_deep(problem: orjson.JSONDecodeError) -> bool:
    """Whether it was refused for its nesting alone; orjson stops at 1,024 levels."""
    return "depth limit" in problem.msg


def _why_broken(body: bytes | str, problem: orjson.JSONDecodeError) -> str:
    """A sentence for whoever sent `body`, which `problem` refused; it repeats nothing of the body but NaN and such."""
    try:
        text = body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError as bad:
        return f"The body is not JSON in UTF-8: byte {bad.start} belongs to no character."
    if text.startswith("\ufeff"):
        return "The body begins with a byte order mark; send the JSON without it."
    if not text.strip():
        return "The body is empty; send a JSON-RPC call."
    number = _NO_NUMBER.match(text, max(0, problem.pos - 1)) or _NO_NUMBER.match(text, problem.pos)
    if number is not None:
        return f"The body has {number[0]}, which JSON does not know; send a number, or null."
    if "infinity" in problem.msg:
        return "The body has a number that is too large for any reader; whole numbers go up to 9007199254740991."
    return f"The body is not JSON: {problem.msg} (line {problem.lineno}, column {problem.colno})."
