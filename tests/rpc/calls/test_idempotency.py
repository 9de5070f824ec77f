"""Repeating a changing call is safe: same key and params, same answer, and the change is made once."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from rpc.calls.idempotency import Idempotency, call_digest
from rpc.errors import ApiError
from rpc.methods.table import METHODS
from rpc.ports import Once
from tests.rpc.rpc_slow import slowed
from tests.rpc.rpc_stores import MemoryAnswers
from tests.rpc.rpc_world import MakeWorld, World

CREATE = {"scheme": "lotus", "idempotencyKey": "one"}


async def keys(world: World) -> int:
    return len((await world.result("listKeys"))["keys"])


async def test_same_key_and_params_give_the_same_answer_and_one_change(world: World) -> None:
    first = await world.result("createKey", CREATE)
    world.log.append("session:ready")
    again = await world.result("createKey", {"idempotencyKey": "one", "scheme": "lotus"})
    assert again == first
    assert await keys(world) == 2


async def test_same_key_with_other_params_or_another_method_is_a_conflict(world: World) -> None:
    await world.result("createKey", CREATE)
    assert await world.reason("createKey", {**CREATE, "label": "x"}) == "idempotency_conflict"
    assert await world.reason("lock", {"idempotencyKey": "one"}) == "idempotency_conflict"
    assert await keys(world) == 2


async def test_keys_of_different_tokens_do_not_meet(world: World) -> None:
    other = world.tokens.make("other", "admin")
    await world.result("createKey", CREATE)
    await world.result("createKey", CREATE, other)
    assert await keys(world) == 3


async def test_answer_survives_a_restart(world: World, make_world: MakeWorld) -> None:
    first = await world.result("createKey", CREATE)
    restarted = await make_world()
    restarted.answers.rows.update(world.answers.rows)
    assert await restarted.result("createKey", CREATE) == first
    assert await keys(restarted) == 1


async def test_refused_call_may_be_tried_again_under_its_key(world: World) -> None:
    await world.result("lock")
    assert await world.reason("createKey", CREATE) == "locked"
    await world.result("unlock", {"passphrase": "correct horse"})
    assert "publicKey" in await world.result("createKey", CREATE)


class Slow:
    """Counts its runs, and ends when it is told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.go = asyncio.Event()

    async def __call__(self, once: Once) -> bytes:
        self.runs += 1
        await self.go.wait()
        return orjson.dumps(self.runs)


async def test_parallel_second_call_waits_for_the_first() -> None:
    once, slow = Idempotency(MemoryAnswers()), Slow()
    digest = call_digest("createKey", {"scheme": "lotus"})
    calls = [asyncio.shield(once.once("t", "k", digest, slow)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(ApiError, match="another call"):
        await once.once("t", "k", call_digest("createKey", {"scheme": "bip340"}), slow)
    slow.go.set()
    assert await asyncio.gather(*calls) == [b"1"] * 5


async def test_caller_that_goes_away_does_not_stop_the_change() -> None:
    answers = MemoryAnswers()
    once, slow = Idempotency(answers), Slow()
    first = asyncio.shield(once.once("t", "k", b"d", slow))
    await asyncio.sleep(0)
    first.cancel()
    slow.go.set()
    assert await once.once("t", "k", b"d", slow) == b"1"
    assert answers.rows["t", "k"].result == b"1"


async def test_connection_that_breaks_mid_call_leaves_the_answer_for_the_repetition(world: World) -> None:
    slow = slowed(world, "createKey")
    async with world.websocket() as ws:
        await ws.send_json({"jsonrpc": "2.0", "id": 1, "method": "createKey", "params": CREATE})
        await slow.began.wait()
    slow.go.set()
    assert "publicKey" in await world.result("createKey", CREATE)
    assert await keys(world) == 2


@pytest.mark.parametrize("method", [each for each in METHODS.values() if each.secret], ids=lambda each: each.name)
async def test_method_with_a_secret_takes_no_idempotency_key(world: World, method: Any) -> None:
    assert await world.reason(method.name, {**method.example, "idempotencyKey": "one"}) == "invalid_params"
    assert world.answers.rows == {}


async def test_idempotency_key_is_bounded(world: World) -> None:
    for wrong in ("", "x" * 65, "é", 5, "a\nb"):
        assert await world.reason("lock", {"idempotencyKey": wrong}) == "invalid_params"


@pytest.mark.parametrize(
    ("kept", "saved"),
    [
        (b'{"joined":["a"],"seq":7}', False),
        (b'{"joined":["a"],"seq":9}', False),
        (b'{"joined":[],"seq":9}', True),
        (None, True),
    ],
)
async def test_an_answer_that_the_change_has_stored_is_not_stored_again(kept: bytes | None, saved: bool) -> None:
    answers, ended = MemoryAnswers(), b'{"joined":["a"],"seq":9}'

    async def run(once: Any) -> bytes:
        once.kept = kept
        return ended

    told = await Idempotency(answers).once("t", "k", bytes(32), run)
    assert told == (ended if saved else kept)
    assert bool(answers.rows) is saved
