"""Names, labels and reasons: refused at entry with their place, cleaned in every answer, escaped on page and table."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from rpc.caller import owner
from rpc.calls.call import CallContext
from rpc.calls.params import params_of
from rpc.cli.people.table import as_table
from rpc.errors import ApiError
from rpc.methods.table import METHODS
from tests.rpc.rpc_calls import call_of, dispatcher_of
from tests.rpc.rpc_world import World
from tests.rpc.secret_params import as_received

IMITATION = "ecilA\u202e"

TEXTS = [
    ("advertiseSigner", {"metadata": {"nickname": IMITATION}}, "metadata.nickname"),
    ("advertiseSigner", {"metadata": {"description": "a\x1b[2J"}}, "metadata.description"),
    ("advertiseSigner", {"metadata": {"more": {"list": ["", "\x9b"]}}}, "metadata.more.list[1]"),
    ("advertiseSigner", {"metadata": {"nickname\u202e": ""}}, "metadata.nickname\\u202e"),
    ("advertiseSigner", {"metadata": {"nickname": "two\nlines"}}, "metadata.nickname"),
    ("announceSigningRequest", {"metadata": {"purpose": IMITATION}}, "metadata.purpose"),
    ("findAvailableSigners", {"purpose": IMITATION}, "purpose"),
    ("createKey", {"label": IMITATION}, "label"),
    ("importKey", {"label": IMITATION}, "label"),
    ("createToken", {"label": IMITATION}, "label"),
    ("banPeer", {"reason": IMITATION}, "reason"),
    ("cancelSigningRequest", {"reason": IMITATION}, "reason"),
    ("declineSigningRequest", {"reason": IMITATION}, "reason"),
    ("abortSession", {"reason": IMITATION}, "reason"),
]


@pytest.mark.parametrize(("method", "change", "path"), TEXTS, ids=[f"{row[0]} {row[2]}" for row in TEXTS])
def test_deceptive_text_is_refused_with_its_place(method: str, change: dict[str, Any], path: str) -> None:
    called = METHODS[method]
    with pytest.raises(ApiError) as caught:
        params_of(called.params, as_received({**called.example, **change}))
    assert [error["path"] for error in caught.value.data["errors"]] == [path]  # type: ignore[union-attr,call-overload,index]  # JSON
    assert "\u202e" not in str(caught.value.to_json())


async def test_answers_and_errors_are_cleaned_and_the_id_comes_back_unchanged() -> None:
    async def signers(caller: object, params: object) -> dict[str, Any]:
        return {"signers": [{"metadata": {"nickname": IMITATION, "more": ["\x1b[2J"]}}], "agent": "a\nb"}

    async def refusing(caller: object, params: object) -> dict[str, Any]:
        raise ApiError("declined", f"Declined: {IMITATION}", why=[IMITATION])

    dispatcher = dispatcher_of({"find": call_of("getInfo", signers), "refuse": call_of("getInfo", refusing)})
    told = {}
    for name in ("find", "refuse"):
        body = orjson.dumps({"jsonrpc": "2.0", "method": name, "params": {}, "id": IMITATION})
        reply = await dispatcher.answer(body, CallContext(owner()))
        assert reply.body is not None
        told[name] = orjson.loads(reply.body)
        assert told[name]["id"] == IMITATION, "it is the client's own"
    assert told["find"]["result"] == {
        "signers": [{"metadata": {"nickname": "ecilA\ufffd", "more": ["\ufffd[2J"]}}],
        "agent": "a b",
    }
    assert told["refuse"]["error"]["message"] == "Declined: ecilA\ufffd"
    assert told["refuse"]["error"]["data"]["why"] == ["ecilA\ufffd"]


async def test_events_that_were_stored_before_the_rule_are_cleaned_when_they_are_read(world: World) -> None:
    world.log.append("signing-request:declined", reason=IMITATION, publicKeys=[])
    page = await world.result("getEvents", {"fromSeq": 1})
    assert page["events"][0]["data"]["reason"] == "ecilA\ufffd"
    async with world.websocket() as ws:
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"fromSeq": 1}})
        await ws.receive_json(timeout=180)
        old = await ws.receive_json(timeout=180)
        world.log.append("signing-request:cancelled", reason=IMITATION, publicKeys=[])
        new = await ws.receive_json(timeout=180)
    assert [note["params"]["result"]["data"]["reason"] for note in (old, new)] == ["ecilA\ufffd"] * 2


def test_table_escapes_what_an_older_daemon_may_still_send() -> None:
    peer = {"agent": "\x1b[31mevil\x9b2J\n", "\u202e": 1, "more": ["\u202e"]}
    text = as_table({"peers": [peer], "\x1b": "\u202e"})
    assert "\\u001b[31me" in text
    assert not any(char in text for char in ("\x1b", "\x9b", "\u202e"))
    assert len(text.splitlines()) == 5
