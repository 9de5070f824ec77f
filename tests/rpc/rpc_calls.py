"""The way of a message without a server: calls of one handler, and a dispatcher that admits everything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rpc.calls.call import Call, Changes
from rpc.calls.dispatch import Dispatcher, Served
from rpc.calls.idempotency import Idempotency
from rpc.calls.limits import CallGate, RateLimit
from rpc.calls.stats import Stats
from rpc.methods.table import METHODS
from rpc.ports import Handler
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import MemoryAnswers


def gate_of(most: int = 1_000) -> CallGate:
    return CallGate(most, RateLimit(1e9, 1_000_000, time.monotonic))


def call_of(method: str, handler: Handler, **more: Any) -> Call:
    """That method served by that handler."""
    return Call(
        METHODS[method], handler, Changes(MemoryLog(), Idempotency(MemoryAnswers()), gate_of(), 9), Stats(), **more
    )


def dispatcher_of(calls: Mapping[str, Served], *, most: int = 1_000) -> Dispatcher:
    return Dispatcher(calls, gate_of(most), max_batch=100)
