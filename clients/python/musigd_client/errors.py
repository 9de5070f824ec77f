"""What can go wrong: a class for each reason that a daemon refuses with.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from musigd_client.failures import CallFailed, CertificateRefused, ClientError, NotAuthorised, Unreachable

__all__ = [
    "BY_REASON",
    "Aborted",
    "AlreadyExists",
    "ApprovalNeeded",
    "Busy",
    "CallFailed",
    "Cancelled",
    "CertificateRefused",
    "ClientError",
    "DatabaseGone",
    "Declined",
    "Equivocation",
    "Expired",
    "Forbidden",
    "IdempotencyConflict",
    "InternalError",
    "InvalidContribution",
    "InvalidKey",
    "InvalidParams",
    "InvalidRequest",
    "KeyNotRequired",
    "LockGone",
    "Locked",
    "MessageMismatch",
    "MethodNotFound",
    "NoSuchScope",
    "NonceConsumed",
    "NotAuthorised",
    "NotFound",
    "NotReady",
    "P2pDown",
    "ParseError",
    "Paused",
    "PeerUnreachable",
    "PolicyDenied",
    "PolicyUnreadable",
    "RateLimited",
    "SchemeMismatch",
    "ScriptMismatch",
    "ShuttingDown",
    "StoreFull",
    "Timeout",
    "TooLarge",
    "TooMany",
    "TransactionUnreadable",
    "Unauthenticated",
    "Unchecked",
    "UnknownKey",
    "Unreachable",
    "WrongPassphrase",
    "WrongPhase",
]


class ParseError(CallFailed):
    """`parse_error`, code -32700."""


class InvalidRequest(CallFailed):
    """`invalid_request`, code -32600."""


class MethodNotFound(CallFailed):
    """`method_not_found`, code -32601."""


class InvalidParams(CallFailed):
    """`invalid_params`, code -32602."""


class TooLarge(CallFailed):
    """`too_large`, code -32602."""


class TooMany(CallFailed):
    """`too_many`, code -32602."""


class NoSuchScope(CallFailed):
    """`no_such_scope`, code -32602."""


class InternalError(CallFailed):
    """`internal_error`, code -32603."""


class Unauthenticated(NotAuthorised):
    """`unauthenticated`, code -32001."""


class Forbidden(NotAuthorised):
    """`forbidden`, code -32002."""


class Locked(CallFailed):
    """`locked`, code -32003."""


class WrongPassphrase(CallFailed):
    """`wrong_passphrase`, code -32003."""


class RateLimited(CallFailed):
    """`rate_limited`, code -32004."""


class Busy(CallFailed):
    """`busy`, code -32004."""


class ShuttingDown(CallFailed):
    """`shutting_down`, code -32004."""


class StoreFull(CallFailed):
    """`store_full`, code -32004."""


class DatabaseGone(CallFailed):
    """`database_gone`, code -32004."""


class LockGone(CallFailed):
    """`lock_gone`, code -32004."""


class NotFound(CallFailed):
    """`not_found`, code -32010."""


class IdempotencyConflict(CallFailed):
    """`idempotency_conflict`, code -32011."""


class AlreadyExists(CallFailed):
    """`already_exists`, code -32011."""


class WrongPhase(CallFailed):
    """`wrong_phase`, code -32012."""


class NotReady(CallFailed):
    """`not_ready`, code -32012."""


class NonceConsumed(CallFailed):
    """`nonce_consumed`, code -32012."""


class Expired(CallFailed):
    """`expired`, code -32012."""


class Aborted(CallFailed):
    """`aborted`, code -32012."""


class Declined(CallFailed):
    """`declined`, code -32012."""


class Cancelled(CallFailed):
    """`cancelled`, code -32012."""


class PeerUnreachable(CallFailed):
    """`peer_unreachable`, code -32013."""


class Timeout(CallFailed):
    """`timeout`, code -32013."""


class P2pDown(CallFailed):
    """`p2p_down`, code -32013."""


class PolicyDenied(CallFailed):
    """`policy_denied`, code -32014."""


class ApprovalNeeded(CallFailed):
    """`approval_needed`, code -32014."""


class PolicyUnreadable(CallFailed):
    """`policy_unreadable`, code -32014."""


class MessageMismatch(CallFailed):
    """`message_mismatch`, code -32014."""


class ScriptMismatch(CallFailed):
    """`script_mismatch`, code -32014."""


class TransactionUnreadable(CallFailed):
    """`transaction_unreadable`, code -32014."""


class Unchecked(CallFailed):
    """`unchecked`, code -32014."""


class InvalidContribution(CallFailed):
    """`invalid_contribution`, code -32015."""


class Equivocation(CallFailed):
    """`equivocation`, code -32015."""


class InvalidKey(CallFailed):
    """`invalid_key`, code -32016."""


class UnknownKey(CallFailed):
    """`unknown_key`, code -32016."""


class KeyNotRequired(CallFailed):
    """`key_not_required`, code -32016."""


class SchemeMismatch(CallFailed):
    """`scheme_mismatch`, code -32016."""


class Paused(CallFailed):
    """`paused`, code -32016."""


BY_REASON: Final[Mapping[str, type[CallFailed]]] = {
    "parse_error": ParseError,
    "invalid_request": InvalidRequest,
    "method_not_found": MethodNotFound,
    "invalid_params": InvalidParams,
    "too_large": TooLarge,
    "too_many": TooMany,
    "no_such_scope": NoSuchScope,
    "internal_error": InternalError,
    "unauthenticated": Unauthenticated,
    "forbidden": Forbidden,
    "locked": Locked,
    "wrong_passphrase": WrongPassphrase,
    "rate_limited": RateLimited,
    "busy": Busy,
    "shutting_down": ShuttingDown,
    "store_full": StoreFull,
    "database_gone": DatabaseGone,
    "lock_gone": LockGone,
    "not_found": NotFound,
    "idempotency_conflict": IdempotencyConflict,
    "already_exists": AlreadyExists,
    "wrong_phase": WrongPhase,
    "not_ready": NotReady,
    "nonce_consumed": NonceConsumed,
    "expired": Expired,
    "aborted": Aborted,
    "declined": Declined,
    "cancelled": Cancelled,
    "peer_unreachable": PeerUnreachable,
    "timeout": Timeout,
    "p2p_down": P2pDown,
    "policy_denied": PolicyDenied,
    "approval_needed": ApprovalNeeded,
    "policy_unreadable": PolicyUnreadable,
    "message_mismatch": MessageMismatch,
    "script_mismatch": ScriptMismatch,
    "transaction_unreadable": TransactionUnreadable,
    "unchecked": Unchecked,
    "invalid_contribution": InvalidContribution,
    "equivocation": Equivocation,
    "invalid_key": InvalidKey,
    "unknown_key": UnknownKey,
    "key_not_required": KeyNotRequired,
    "scheme_mismatch": SchemeMismatch,
    "paused": Paused,
}
