"""The errors that clients get: a stable reason, its code, and a sentence for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

JsonValue: TypeAlias = (
    "bool | int | float | str | list[JsonValue] | tuple[JsonValue, ...] | Mapping[str, JsonValue] | None"
)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

# Every reason a client may see, grouped by its code. The order is that of the documentation.
REASONS: Mapping[int, tuple[str, ...]] = {
    PARSE_ERROR: ("parse_error",),
    INVALID_REQUEST: ("invalid_request",),
    METHOD_NOT_FOUND: ("method_not_found",),
    INVALID_PARAMS: ("invalid_params", "too_large", "too_many", "no_such_scope"),
    INTERNAL_ERROR: ("internal_error",),
    -32001: ("unauthenticated",),
    -32002: ("forbidden",),
    -32003: ("locked", "wrong_passphrase"),
    -32004: ("rate_limited", "busy", "shutting_down", "store_full", "database_gone", "lock_gone"),
    -32010: ("not_found",),
    -32011: ("idempotency_conflict", "already_exists"),
    -32012: ("wrong_phase", "not_ready", "nonce_consumed", "expired", "aborted", "declined", "cancelled"),
    -32013: ("peer_unreachable", "timeout", "p2p_down"),
    -32014: (
        "policy_denied",
        "approval_needed",
        "policy_unreadable",
        "message_mismatch",
        "script_mismatch",
        "transaction_unreadable",
        "unchecked",
    ),
    -32015: ("invalid_contribution", "equivocation"),
    -32016: ("invalid_key", "unknown_key", "key_not_required", "scheme_mismatch", "paused"),
}

CODES: Mapping[str, int] = {reason: code for code, reasons in REASONS.items() for reason in reasons}


class RpcError(Exception):
    """Root of everything this package raises."""


class ListenError(RpcError):
    """The server cannot or may not listen as configured; the text names the setting to change."""


class ApiError(RpcError):
    """A refusal that is sent to the client as it is.

    `reason` is one of `CODES`; `message` is a sentence that names what to do and holds no secret, path or traceback;
    `data` is JSON with camelCase names, and is put beside `reason` in the error's `data`.
    """

    def __init__(self, reason: str, message: str, **data: JsonValue) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = CODES[reason]
        self.message = message
        if reason == "invalid_params" and not data.get("errors"):
            data["errors"] = [{"path": "", "message": message}]
        self.data: dict[str, JsonValue] = {"reason": reason, **data}

    def to_json(self) -> dict[str, JsonValue]:
        """The error object of JSON-RPC 2.0."""
        return {"code": self.code, "message": self.message, "data": self.data}


def invalid_param(path: str, message: str) -> ApiError:
    """A parameter that the models let pass and the program refuses; `message` goes on after the name."""
    return ApiError("invalid_params", f"{path}: {message}", errors=[{"path": path, "message": message}])


def invalid_key(path: str, message: str, **data: JsonValue) -> ApiError:
    """A key, public or private, or a tweak of one, that cannot be used; `message` goes on after the name."""
    return ApiError("invalid_key", f"{path}: {message}", errors=[{"path": path, "message": message}], **data)


def unknown_key(pubkey: bytes) -> ApiError:
    """The same answer for an unknown key and for a key of another token, to reveal nothing."""
    return ApiError(
        "unknown_key",
        "This daemon holds no such key for this token; listKeys shows the keys it may use.",
        publicKey=pubkey.hex(),
    )


def wrong_scheme(path: str, pubkey: bytes, known: Iterable[str], asked: str) -> ApiError:
    """One secret has one scheme: this key is known to sign others than the one that is asked."""
    message = f"signs {' and '.join(sorted(known))} only, and {asked} is asked: use a key of that scheme."
    return ApiError(
        "scheme_mismatch", f"{path} {message}", publicKey=pubkey.hex(), errors=[{"path": path, "message": message}]
    )


def shutting_down() -> ApiError:
    """The daemon is stopping and takes no more calls."""
    return ApiError("shutting_down", "The daemon is stopping; try again when it is back.", retryAfterMs=5_000)


def database_gone() -> ApiError:
    """The database is no longer where the daemon opened it. The path is for the log and the owner's getInfo."""
    return ApiError(
        "database_gone",
        "The daemon's database was removed or replaced while it runs, and nothing was changed: its owner finds in "
        "getInfo how to save what it holds. Do not stop the daemon before that.",
    )


def lock_gone() -> ApiError:
    """The lock of the data directory is no longer the one that the daemon took."""
    return ApiError(
        "lock_gone",
        "The lock of the daemon's directory was removed or replaced while it runs, and nothing was changed: its owner "
        "has to stop the daemon and start it again.",
    )


def not_found(what: str) -> ApiError:
    """`what` is a noun, such as "signing request"; also the answer for one that belongs to another token's keys."""
    return ApiError("not_found", f"No such {what} here; check the id, or list what there is.")
