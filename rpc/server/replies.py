"""HTTP responses: results, refusals with their status, and the headers every one of them carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from rpc.calls.dispatch import failure
from rpc.errors import ApiError
from rpc.server.doorkeeper import Refusal

_STATUS: Final = {
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "timeout": 408,
    "too_large": 413,
    "rate_limited": 429,
    "busy": 503,
    "shutting_down": 503,
}
_ALWAYS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON response that must not be cached."""
    return web.Response(
        body=body, status=status, headers={**_ALWAYS, "Content-Type": "application/json", **(headers or {})}
    )


def refused(refusal: Refusal | ApiError) -> web.Response:
    """The error object of JSON-RPC under the HTTP status of its kind."""
    if isinstance(refusal, ApiError):
        refusal = Refusal(_STATUS.get(refusal.reason, 400), refusal)
    headers = {}
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    wait_ms = refusal.error.data.get("retryAfterMs")
    if isinstance(wait_ms, int):
        headers["Retry-After"] = str(-(-wait_ms // 1000))
    return json_reply(failure(refusal.error), refusal.status, headers)


def allow_origin(response: web.StreamResponse, origin: str) -> None:
    """Lets a page of that origin read the response."""
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin"


def preflight(origin: str) -> web.Response:
    """The answer to a CORS preflight."""
    response = web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Allow-Private-Network": "true",
            "Access-Control-Max-Age": "600",
        },
    )
    allow_origin(response, origin)
    return response
