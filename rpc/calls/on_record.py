"""What of a call goes on record: who called, which method, and what it named; nothing of its secrets or its data."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any, Final, Protocol

from pydantic import BaseModel

from rpc.ports import CallFacts, Once, Recorder

NAMED: Final = ("publicKey", "requestId", "sessionId", "peerId", "tokenId", "scheme", "creator")
_LONGEST: Final = 128


class Subject(Protocol):
    """The part of a call's message that is needed here."""

    @property
    def caller(self) -> Any: ...

    @property
    def socket(self) -> Any: ...

    @property
    def transport(self) -> asyncio.BaseTransport | None: ...


def facts_of(message: Subject, method: str, raw: Any) -> CallFacts:
    """The facts of a call, from its params as they were sent."""
    given = raw if isinstance(raw, dict) else {}
    dry = {"dryRun": "true"} if given.get("dryRun") is True else {}
    return CallFacts(
        token_id=message.caller.token_id,
        method=method,
        through="http" if message.socket is None else "websocket",
        named={name: given[name] for name in NAMED if _is_plain(given.get(name))} | dry,
        place=_place(message.transport),
    )


def _place(transport: asyncio.BaseTransport | None) -> str:
    if transport is None:
        return ""
    peer = transport.get_extra_info("peername")
    if isinstance(peer, tuple):
        return f"{peer[0]}:{peer[1]}"
    other = transport.get_extra_info("socket")
    if other is None or not hasattr(socket, "SO_PEERCRED"):
        return ""
    process, user, _ = struct.unpack("3i", other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"user {user}, process {process}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and value.isascii() and value.isprintable()


class RecordedOnce:
    """Puts the call on record where its answer is kept: in the transaction of its change."""

    def __init__(self, recorder: Recorder, facts: CallFacts, once: Once | None) -> None:
        self._recorder = recorder
        self._facts = facts
        self._once = once
        self._recorded = False
        self.wants_answer = once is not None

    def keep(self, transaction: Any, answer: Mapping[str, Any] | BaseModel) -> None:
        """Implements `rpc.ports.Once`."""
        self._recorder.append(transaction, self._facts)
        self._recorded = True
        if self._once is not None:
            self._once.keep(transaction, answer)

    async def ended(self) -> None:
        """Record a call that changed nothing, so that no transaction carried it."""
        if not self._recorded:
            await self._recorder.note(self._facts)
