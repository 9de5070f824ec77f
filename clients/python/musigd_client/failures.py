"""The classes above all errors; `musigd_client.errors` has them and one for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Root of everything this package raises."""


class Unreachable(ClientError):
    """No daemon answers there, or the connection broke before the answer came.

    The call may have been carried out. A change that you gave an idempotency key can be repeated with it.
    """


class NobodyThere(Unreachable):
    """Nothing listens, so the call was not carried out."""


class CertificateRefused(Unreachable):
    """The certificate at that address is not accepted here, so the call was not sent. Waiting changes nothing."""


class CallFailed(ClientError):
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
