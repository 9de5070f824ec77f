"""Waits for a signature and shows at the terminal which signers are missing, and the time left."""

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

SLICE_MS: Final = 2_000  # between two looks at the missing signers


def waited_for_signature(locator: Locator, params: Mapping[str, Any], wait_ms: int | None) -> Any:
    """The answer of `getFinalSignature`; meanwhile a line on standard error whenever the awaited signers change.

    `wait_ms` None: until the request ends. Raises what the daemon says at the end.
    """
    until = None if wait_ms is None else time.monotonic() + wait_ms / 1000
    told = ""
    for longest_ms in chain([0], repeat(SLICE_MS)):  # the first look is short, to show at once who is missing
        slice_ms = longest_ms if until is None else max(0, min(longest_ms, round((until - time.monotonic()) * 1000)))
        try:
            return _asked(locator, {**params, "waitMs": slice_ms}, slice_ms)
        except NotReady as problem:
            if until is not None and time.monotonic() >= until:
                raise
            waits = waiting_text(problem.data)
            if waits != told:
                told = waits
                complain(f"{waits}{_time_left(locator, params)}")
    raise AssertionError("it is asked until there is an answer")


def _asked(locator: Locator, params: Mapping[str, Any], wait_ms: int) -> Any:
    patience_ms = max(wait_ms, 60_000)  # a restart may take longer than the question
    return through_restarts(lambda left_ms: call(locator, "getFinalSignature", _capped(params, left_ms)), patience_ms)


def _capped(params: Mapping[str, Any], left_ms: int) -> dict[str, Any]:
    return {**params, "waitMs": min(params["waitMs"], left_ms)}


def waiting_text(data: Mapping[str, Any]) -> str:
    """The phase and the awaited signers, from the data of `not_ready`."""
    late = data.get("waitingFor")
    keys = ", ".join(awaited(key, data) for key in late) if isinstance(late, list) and late else "the daemon"
    own = data.get("waitingForCall")
    turn = f" (yours: {escaped(str(own))})" if own else ""
    return f"{escaped(str(data.get('phase', 'open')))}: waiting for {keys}{turn}"


def awaited(key: object, data: Mapping[str, Any]) -> str:
    """A late signer, and whether its owner was asked and has not decided."""
    asked = data.get("considering")
    return f"{escaped(str(key))}{' (its owner was asked)' if isinstance(asked, list) and key in asked else ''}"


def _time_left(locator: Locator, params: Mapping[str, Any]) -> str:
    """The time until the attempt ends, else until the request expires; empty if neither is known."""
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
    """A duration in the largest fitting unit."""
    seconds = max(0, round(ms / 1000))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"
