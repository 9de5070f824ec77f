// Written by `python -m rpc.schema.generate_typescript` from the API's description; do not edit.

import { CallFailed } from "../errors.js";

export class ParseError extends CallFailed {}
export class InvalidRequestError extends CallFailed {}
export class MethodNotFoundError extends CallFailed {}
export class InvalidParamsError extends CallFailed {}
export class TooLargeError extends CallFailed {}
export class TooManyError extends CallFailed {}
export class NoSuchScopeError extends CallFailed {}
export class InternalError extends CallFailed {}
export class UnauthenticatedError extends CallFailed {}
export class ForbiddenError extends CallFailed {}
export class LockedError extends CallFailed {}
export class WrongPassphraseError extends CallFailed {}
export class RateLimitedError extends CallFailed {}
export class BusyError extends CallFailed {}
export class ShuttingDownError extends CallFailed {}
export class StoreFullError extends CallFailed {}
export class DatabaseGoneError extends CallFailed {}
export class LockGoneError extends CallFailed {}
export class NotFoundError extends CallFailed {}
export class IdempotencyConflictError extends CallFailed {}
export class AlreadyExistsError extends CallFailed {}
export class WrongPhaseError extends CallFailed {}
export class NotReadyError extends CallFailed {}
export class NonceConsumedError extends CallFailed {}
export class ExpiredError extends CallFailed {}
export class AbortedError extends CallFailed {}
export class DeclinedError extends CallFailed {}
export class CancelledError extends CallFailed {}
export class PeerUnreachableError extends CallFailed {}
export class TimeoutError extends CallFailed {}
export class P2pDownError extends CallFailed {}
export class PolicyDeniedError extends CallFailed {}
export class ApprovalNeededError extends CallFailed {}
export class PolicyUnreadableError extends CallFailed {}
export class MessageMismatchError extends CallFailed {}
export class ScriptMismatchError extends CallFailed {}
export class TransactionUnreadableError extends CallFailed {}
export class UncheckedError extends CallFailed {}
export class InvalidContributionError extends CallFailed {}
export class EquivocationError extends CallFailed {}
export class InvalidKeyError extends CallFailed {}
export class UnknownKeyError extends CallFailed {}
export class KeyNotRequiredError extends CallFailed {}
export class SchemeMismatchError extends CallFailed {}
export class PausedError extends CallFailed {}

/** The class of each reason that the daemon gives. */
export const ERRORS = {
  parse_error: ParseError,
  invalid_request: InvalidRequestError,
  method_not_found: MethodNotFoundError,
  invalid_params: InvalidParamsError,
  too_large: TooLargeError,
  too_many: TooManyError,
  no_such_scope: NoSuchScopeError,
  internal_error: InternalError,
  unauthenticated: UnauthenticatedError,
  forbidden: ForbiddenError,
  locked: LockedError,
  wrong_passphrase: WrongPassphraseError,
  rate_limited: RateLimitedError,
  busy: BusyError,
  shutting_down: ShuttingDownError,
  store_full: StoreFullError,
  database_gone: DatabaseGoneError,
  lock_gone: LockGoneError,
  not_found: NotFoundError,
  idempotency_conflict: IdempotencyConflictError,
  already_exists: AlreadyExistsError,
  wrong_phase: WrongPhaseError,
  not_ready: NotReadyError,
  nonce_consumed: NonceConsumedError,
  expired: ExpiredError,
  aborted: AbortedError,
  declined: DeclinedError,
  cancelled: CancelledError,
  peer_unreachable: PeerUnreachableError,
  timeout: TimeoutError,
  p2p_down: P2pDownError,
  policy_denied: PolicyDeniedError,
  approval_needed: ApprovalNeededError,
  policy_unreadable: PolicyUnreadableError,
  message_mismatch: MessageMismatchError,
  script_mismatch: ScriptMismatchError,
  transaction_unreadable: TransactionUnreadableError,
  unchecked: UncheckedError,
  invalid_contribution: InvalidContributionError,
  equivocation: EquivocationError,
  invalid_key: InvalidKeyError,
  unknown_key: UnknownKeyError,
  key_not_required: KeyNotRequiredError,
  scheme_mismatch: SchemeMismatchError,
  paused: PausedError,
} as const;

/** What `CallFailed.reason` can be. */
export type Reason = keyof typeof ERRORS;
