"""What can go wrong for a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpc.errors import RpcError


class ClientError(RpcError):
    """Root of everything the client raises."""


class Unreachable(ClientError):  # the word the API uses for this state
    """No daemon answers there, or the connection broke before the answer came.

    A call may have been carried out all the same: repeat it with the same idempotency key.
    """


class CallFailed(ClientError):  # reads as what happened
    """The daemon refused a call: its `code`, stable `reason`, sentence and `data`."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.reason = str(data.get("reason", "unknown"))
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """The error object as the daemon sent it."""
        return {"code": self.code, "message": self.message, "data": dict(self.data)}


class NotAuthorised(CallFailed):
    """The token is missing, unknown, expired, or may not do this."""


def error_of(error: Mapping[str, Any]) -> CallFailed:
    """The exception for an error object."""
    data = error.get("data")
    details: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    kind = NotAuthorised if details.get("reason") in {"unauthenticated", "forbidden"} else CallFailed
    return kind(int(error.get("code", 0)), str(error.get("message", "")), details)


def result_of(response: Any) -> Any:
    """The result in a response object; raises CallFailed for an error, ClientError for something else entirely."""
    if isinstance(response, Mapping):
        if isinstance(response.get("error"), Mapping):
            raise error_of(response["error"])
        if "result" in response:
            return response["result"]
    raise ClientError("what answers there does not speak JSON-RPC; check the address")
