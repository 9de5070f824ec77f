"""The examples of the JSON-RPC 2.0 specification (section 7), and what it leaves to implementations."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonrpcserver.result import Result, Success

from rpc.caller import Caller, owner
from rpc.calls.call import CallContext
from rpc.models.wire import NoParams
from tests.rpc.rpc_calls import call_of, dispatcher_of
from tests.rpc.rpc_world import World


async def subtract(context: CallContext, params: Any) -> Result:
    minuend, subtrahend = params if isinstance(params, list) else (params["minuend"], params["subtrahend"])
    return Success(minuend - subtrahend)


async def total(context: CallContext, params: Any) -> Result:
    return Success(sum(params))


async def get_data(context: CallContext, params: Any) -> Result:
    return Success(["hello", 5])


async def nothing(context: CallContext, params: Any) -> Result:
    return Success(None)


async def answer(text: str) -> Any:
    """What a server with the methods of the specification answers; None for silence."""
    calls = {"subtract": subtract, "sum": total, "get_data": get_data}
    calls |= {"update": nothing, "notify_hello": nothing, "notify_sum": nothing}
    reply = await dispatcher_of(calls).answer(text.encode(), CallContext(owner()))
    return None if reply.body is None else orjson.loads(reply.body)


def error(code: int, call_id: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code}, "id": call_id}


def result(value: Any, call_id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": value, "id": call_id}


def without_texts(response: Any) -> Any:
    """Responses with the code alone of their errors: the wording is ours."""
    if isinstance(response, list):
        return [without_texts(each) for each in response]
    if isinstance(response, dict) and "error" in response:
        return {**response, "error": {"code": response["error"]["code"]}}
    return response


SPECIFIED = [
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}', result(19, 1)),
    ('{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}', result(-19, 2)),
    (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
        result(19, 3),
    ),
    (
        '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
        result(19, 4),
    ),
    ('{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', None),
    ('{"jsonrpc": "2.0", "method": "foobar"}', None),
    ('{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', error(-32601, "1")),
    ('{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', error(-32700)),
    ('{"jsonrpc": "2.0", "method": 1, "params": "bar"}', error(-32600)),
    ('[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]', error(-32700)),
    ("[]", error(-32600)),
    ("[1]", [error(-32600)]),
    ("[1,2,3]", [error(-32600)] * 3),
    (
        '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
        '{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},'
        '{"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},'
        '{"foo": "boo"},'
        '{"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},'
        '{"jsonrpc": "2.0", "method": "get_data", "id": "9"}]',
        [result(7, "1"), result(19, "2"), error(-32600), error(-32601, "5"), result(["hello", 5], "9")],
    ),
    (
        '[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},'
        '{"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]',
        None,
    ),
]


@pytest.mark.parametrize(("request_text", "expected"), SPECIFIED)
async def test_example_of_the_specification(request_text: str, expected: Any) -> None:
    assert without_texts(await answer(request_text)) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc":"2.0","method":"getInfo","id":1.5}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","id":true}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","id":[1]}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","id":123456789012345678901234567890}', -32600),
        (b'{"jsonrpc":"1.0","method":"getInfo","id":1}', -32600),
        (b'{"method":"getInfo","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":false,"id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":"","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":"x","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":[1],"id":1}', -32602),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":{"x":1},"id":1}', -32602),
        (b'{"jsonrpc":"2.0","method":"getInfo","method":"lock","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"getInfo","params":{"a":1,"\\u0061":2},"id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"findAvailableSigners","params":{"minAmount":NaN},"id":1}', -32700),
        (b'{"jsonrpc":"2.0","method":"findAvailableSigners","params":{"minAmount":1e400},"id":1}', -32700),
        (b'{"jsonrpc":"2.0","method":"findAvailableSigners","params":{"minAmount":1.0},"id":1}', -32602),
        (b'{"jsonrpc":"2.0","method":"findAvailableSigners","params":{"minAmount":9007199254740992},"id":1}', -32602),
        (b'{"jsonrpc":"2.0","method":"\xff","id":1}', -32700),
        (b'{"jsonrpc":"2.0","method":"\\ud800","id":1}', -32700),
        (b'\xef\xbb\xbf{"jsonrpc":"2.0","method":"getInfo","id":1}', -32700),
        (b"[" * 40 + b"]" * 40, -32600),
        (b"[" * 2_000 + b"]" * 2_000, -32600),
        (b"[" * 100_000, -32600),
        (b"", -32700),
        (b"null", -32600),
        (b'"getInfo"', -32600),
    ],
)
async def test_a_malformed_message_gets_the_exact_code(world: World, body: bytes, code: int) -> None:
    status, reply = await world.post(body)
    assert status == 200
    assert reply["error"]["code"] == code, reply


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "byte 6 belongs to no character"),
        (b'{"a":"\\ud800"}', "no low surrogate in string"),
        (b'{"a":NaN}', "has NaN, which JSON does not know"),
        (b'{"a":' + b"1" * 5_000 + b"}", "has a number that is too large for any reader"),
        (b'{"a":[-Infinity]}', "has -Infinity, which JSON does not know"),
        (b'{"a":1e400}', "a number that is too large"),
        (b'{"a":1,}', "trailing comma is not allowed (line 1, column 7)"),
        (b'{"a"', "unexpected end of data (line 1, column 5)"),
        (b'{"a":' * 34 + b"1" + b"}" * 34, "nested more than 32 levels deep"),
        (b"[" * 5_000 + b"]" * 5_000, "nested more than 32 levels deep"),
        (b"[" * 100_000, "nested more than 32 levels deep"),
    ],
)
async def test_the_error_says_exactly_what_is_wrong_with_a_body(world: World, body: bytes, said: str) -> None:
    _, reply = await world.post(body)
    assert said in reply["error"]["message"], reply


async def test_null_is_an_id_like_any_other_and_no_id_at_all_makes_a_notification(world: World) -> None:
    call = {"jsonrpc": "2.0", "method": "getInfo"}
    status, reply = await world.post({**call, "id": None})
    assert (status, reply["id"], "result" in reply) == (200, None, True)
    _, reply = await world.post({**call, "id": None, "method": "nonsense"})
    assert (reply["id"], reply["error"]["code"]) == (None, -32601)
    assert await world.post(call) == (204, None)
    _, replies = await world.post([{**call, "id": None}, call, {**call, "id": 2}])
    assert [each["id"] for each in replies] == [None, 2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("getinfo", "getInfo"), ("get_final_signature", "getFinalSignature"), ("findSigners", "findAvailableSigners")],
)
async def test_mistyped_method_is_answered_with_the_nearest_one(world: World, typed: str, meant: str) -> None:
    reply = await world.call(typed)
    assert reply["error"]["code"] == -32601
    assert f"did you mean {meant}?" in reply["error"]["message"]
    assert "did you mean" not in (await world.call("x" * 10_000))["error"]["message"]


async def test_colon_inside_a_string_is_not_taken_for_a_member(world: World) -> None:
    assert (await world.result("getEvents", {"fromSeq": 0, "events": ["session:*"]}))["events"] == []


async def test_batch_runs_items_on_their_own_and_keeps_their_order(world: World) -> None:
    calls = [{"jsonrpc": "2.0", "id": at, "method": "getInfo"} for at in range(99)]
    status, replies = await world.post([{"jsonrpc": "2.0", "id": "x", "method": "lock", "params": {"a": 1}}, *calls])
    assert status == 200
    assert replies[0]["error"]["code"] == -32602
    assert [each["id"] for each in replies[1:]] == list(range(99))
    assert all("result" in each for each in replies[1:])
    _, refused = await world.post([*calls, *calls])
    assert refused["error"]["data"] == {"reason": "too_many", "limit": 100}


async def test_notification_gets_no_answer_but_is_carried_out(world: World) -> None:
    note = {"jsonrpc": "2.0", "method": "pauseKey", "params": {"publicKey": (await own_key(world))}}
    assert await world.post(note) == (204, None)
    assert (await world.result("listKeys"))["keys"][0]["paused"] is True
    assert await world.post([note, {**note, "method": "nonsense"}]) == (204, None)


async def own_key(world: World) -> str:
    return str((await world.result("listKeys"))["keys"][0]["publicKey"])


async def test_text_of_an_exception_never_reaches_a_client(world: World) -> None:
    async def broken(caller: Caller, params: NoParams) -> Any:
        raise ValueError("the secret is 42")

    dispatcher = dispatcher_of({"broken": call_of("getInfo", broken)})
    reply = await dispatcher.answer('{"jsonrpc":"2.0","method":"broken","id":1}', CallContext(owner()))
    assert reply.body is not None
    assert b"42" not in reply.body
    assert orjson.loads(reply.body)["error"]["code"] == -32603


async def test_refusal_of_a_whole_message_keeps_its_id(world: World) -> None:
    reply = await dispatcher_of({}, most=0).answer('{"jsonrpc":"2.0","method":"x","id":7}', CallContext(owner()))
    assert reply.refused is not None
    assert reply.refused.reason == "busy"
    assert reply.body is not None
    assert orjson.loads(reply.body)["id"] == 7


async def test_params_that_do_not_fit_are_named_without_being_repeated(world: World) -> None:
    secret = "ff" * 31
    reply = await world.call("importKey", {"privateKey": 5, "scheme": "rsa", "x": secret, "label": "y" * 101})
    assert reply["error"]["code"] == -32602
    errors = {each["path"]: each["message"] for each in reply["error"]["data"]["errors"]}
    assert set(errors) == {"privateKey", "scheme", "x", "label"}
    assert errors["x"] == "there is no such parameter"
    assert secret not in str(reply)
    nested = await world.call("announceSigningRequest", {"messages": [{"message": "AA" * 32}], "publicKey": "02"})
    paths = [each["path"] for each in nested["error"]["data"]["errors"]]
    assert paths == ["requiredPublicKeys", "messages[0].message", "publicKey"]


@pytest.mark.parametrize("params", [b"null", b"[]", b"{}", b"[ ]"])
async def test_no_params_may_be_written_in_any_way(world: World, params: bytes) -> None:
    _, reply = await world.post(b'{"jsonrpc":"2.0","method":"getInfo","params":%s,"id":1}' % params)
    assert reply["result"]["apiVersion"] == 1
    _, reply = await world.post(b'{"jsonrpc":"2.0","method":"lock","params":%s,"id":1}' % params)
    assert reply["result"]["locked"] is True
    _, reply = await world.post(b'{"jsonrpc":"2.0","method":"createKey","params":%s,"id":1}' % params)
    assert reply["error"]["data"]["errors"] == [{"path": "scheme", "message": "is required"}]
