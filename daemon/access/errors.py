"""Refusals about tokens."""

from __future__ import annotations

from daemon.errors import Refused


class NoSuchToken(Refused):
    """No token in force has this id."""

    reason = "not_found"

    def __init__(self) -> None:
        super().__init__("No such token here; check the id, or list what there is.")


class ExpiryInThePast(Refused):
    """A token whose expiry is in the past."""

    reason = "invalid_params"

    def __init__(self) -> None:
        message = "is in the past; give a later time in milliseconds since 1970"
        super().__init__(f"expiresAt: {message}", errors=[{"path": "expiresAt", "message": message}])
