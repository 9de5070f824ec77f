"""Repeating a changing call with the same idempotency key gives the first answer, also across restarts.

A second call during the first one waits for it. Only answers are kept: a refused call changed nothing, so it may be
tried again with its key. A handler whose change must not be made twice stores its answer itself, in the transaction of
the change, through the `Once` it is given; that survives a kill before the answer is stored here, and where it says
the same, nothing more is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

import orjson

from rpc.errors import ApiError
from rpc.ports import IdempotencyStore, KeyedOnce, StoredAnswer

Run: TypeAlias = Callable[[KeyedOnce], Coroutine[Any, Any, bytes]]


def call_digest(method: str, raw: Mapping[str, Any]) -> bytes:
    """Equal for equal params, whatever their order; the idempotency key itself does not count."""
    counted = {name: value for name, value in raw.items() if name != "idempotencyKey"}
    return sha256(orjson.dumps([method, counted], option=orjson.OPT_SORT_KEYS)).digest()


class Idempotency:
    """Runs calls once per (token, key)."""

    def __init__(self, store: IdempotencyStore) -> None:
        self._store = store
        self._running: dict[tuple[str, str], tuple[bytes, asyncio.Task[bytes]]] = {}

    def once(self, token_id: str, key: str, digest: bytes, run: Run) -> asyncio.Task[bytes]:
        """The stored answer, or that of `run`; raises `idempotency_conflict` for a key used with another call.

        Shield it: several callers may wait for it, and one that disconnects must not stop the call. The answer is kept
        for when it asks again.
        """
        place = (token_id, key)
        running = self._running.get(place)
        if running is None:
            task = asyncio.ensure_future(self._find_or_run(place, digest, run))
            self._running[place] = (digest, task)
            task.add_done_callback(lambda _: self._running.pop(place, None))
        else:
            task = running[1]
            _require_same(running[0], digest)
        return task

    async def _find_or_run(self, place: tuple[str, str], digest: bytes, run: Run) -> bytes:
        stored = await self._store.find(*place)
        if stored is not None:
            _require_same(stored.digest, digest)
            return stored.result
        once = self._store.once(*place, digest)
        return await self._settled(place, digest, once, await run(once))

    async def _settled(self, place: tuple[str, str], digest: bytes, once: KeyedOnce, result: bytes) -> bytes:
        """The answer for everybody: the one stored with the change, unless the call has found out more since."""
        if once.kept is not None and _tell_the_same(once.kept, result):
            return once.kept
        await self._store.save(*place, StoredAnswer(digest=digest, result=result))
        return result


def _tell_the_same(kept: bytes, result: bytes) -> bool:
    """Whether two answers differ in nothing but the position of the event log, which goes on while a call ends."""
    return kept == result or {**orjson.loads(kept), "seq": None} == {**orjson.loads(result), "seq": None}


def _require_same(first: bytes, second: bytes) -> None:
    if first != second:
        raise ApiError(
            "idempotency_conflict", "This idempotencyKey was used with another call; use a new one for each change."
        )
