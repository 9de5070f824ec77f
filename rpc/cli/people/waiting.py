"""Waiting for a signature while a person looks on: who is missing, and how long there is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any, Final

from config.output.terminal import complain
from config.text.plain_text import escaped
from musigd_client.endpoint import Locator
from musigd_client.errors import CallFailed, NotReady
from musigd_client.patience import through_restarts
from musigd_client.sync.http import call

SLICE_MS: Final = 2_000  # between looks at who is missing


def waited_for_signature(locator: Locator, params: Mapping[str, Any], wait_ms: int | None) -> Any:
    """The answer of `getFinalSignature`; meanwhile a line on standard error whenever somebody else is awaited.

    `wait_ms` None: until the request ends. Raises what the daemon says at the end.
    """
    until = None if wait_ms is None else time.monotonic() + wait_ms / 1000
    told = ""
    for longest_ms in chain([0], repeat(SLICE_MS)):  # at first a look, to say at once who is missing
        slice_ms = longest_ms if until is None else max(0, min(longest_ms, round((until - time.monotonic()) * 1000)))
        try:
            return _asked(locator, {**params, "waitMs": slice_ms}, slice_ms)
        except NotReady as problem:
            if until is not None and time.monotonic() >= until:
                raise
            awaited = waiting_text(problem.data)
            if awaited != told:
                told = awaited
                complain(f"{awaited}{_time_left(locator, params)}")
    raise AssertionError("it is asked until there is an answer")


def _asked(locator: Locator, params: Mapping[str, Any], wait_ms: int) -> Any:
    patience_ms = max(wait_ms, 60_000)  # a restart may take longer than the question
    return through_restarts(lambda left_ms: call(locator, "getFinalSignature", _capped(params, left_ms)), patience_ms)


def _capped(params: Mapping[str, Any], left_ms: int) -> dict[str, Any]:
    return {**params, "waitMs": min(params["waitMs"], left_ms)}


def waiting_text(data: Mapping[str, Any]) -> str:
    """Phase and whose turn it is, as `not_ready` says."""
    late = data.get("waitingFor")
    keys = ", ".join(_late(key, data) for key in late) if isinstance(late, list) and late else "the daemon"
    own = data.get("waitingForCall")
    turn = f" (yours: {escaped(str(own))})" if own else ""
    return f"{escaped(str(data.get('phase', 'open')))}: waiting for {keys}{turn}"


def _late(key: object, data: Mapping[str, Any]) -> str:
    asked = data.get("considering")
    return f"{escaped(str(key))}{' (its owner has been asked)' if isinstance(asked, list) and key in asked else ''}"


def _time_left(locator: Locator, params: Mapping[str, Any]) -> str:
    """Until the attempt ends, else until the request expires; nothing where that cannot be told."""
    try:
        session_id = params.get("sessionId")
        ends = None
        if session_id is None:
            request = call(locator, "getSigningRequest", {"requestId": params["requestId"]})
            session_id, ends = request["sessionId"], request["expiresAt"]
        ends = call(locator, "getSession", {"sessionId": session_id}).get("deadline", ends)
    except CallFailed:
        return ""
    return "" if ends is None else f"; {duration(ends - time.time() * 1000)} left"


def duration(ms: float) -> str:
    """In the unit that a person would use."""
    seconds = max(0, round(ms / 1000))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"
