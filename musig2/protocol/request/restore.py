"""Restores a machine from the store: puts every Save effect back where it was made from.

Nothing is decided here. What a restart means for an attempt is the input `restart` of the state table, fed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable

from musig2.protocol.blame.endings import PROVEN, Ending, EndingScope, Reason
from musig2.protocol.broadcast.turns import BroadcastTurns
from musig2.protocol.interface.effects import Outcome, SaveJoin, SaveMessage, SaveOutcome, SaveRecord, SessionRow
from musig2.protocol.records.records import AbortBody, Cancel, Considering, Decline
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.considering import Considerations
from musig2.protocol.request.contributions import Contributions
from musig2.protocol.session.signing_session import SigningSession


def rebuild(
    attempts: Attempts,
    conclusion: Conclusion,
    broadcast: BroadcastTurns,
    contributions: Contributions,
    considerations: Considerations,
    *,
    joins: Iterable[SaveJoin],
    messages: Iterable[SaveMessage],
    rows: Iterable[SessionRow],
    outcome: SaveOutcome | None,
    records: Iterable[SaveRecord],
) -> None:
    """Fill the parts of a fresh machine."""
    records = list(records)
    for saved in joins:
        attempts.transcript(saved.join.record.attempt).put_join(saved.index, saved.join)
    for row in sorted(rows, key=lambda row: row.attempt):
        attempts.add(SigningSession(attempts.transcript(row.attempt), row))
    for message in messages:
        _put_message(attempts, broadcast, message)
    if outcome is not None:
        _conclude(conclusion, outcome)
    for record in records:
        if isinstance(record.signed.record, Decline | Cancel) and outcome is not None:
            conclusion.record = record.signed  # type: ignore[assignment]  # isinstance does not narrow the parameter
        elif isinstance(record.signed.record, Considering):
            considerations.restore(record.signed)  # type: ignore[arg-type]  # as above
    for session in attempts.sessions.values():
        contributions.accused.update((session.row.attempt, key) for key in session.row.culprits)
        _renew_abort(session, records)


def _put_message(attempts: Attempts, broadcast: BroadcastTurns, saved: SaveMessage) -> None:
    attempt = attempts.terms.attempt_of.get(saved.session)
    if attempt is None:
        return
    transcript = attempts.transcript(attempt)
    match saved.seq:
        case 1:
            transcript.nonces.put(saved.index, saved.message)
        case 2 if saved.own:
            transcript.put_own_partial(saved.index, saved.message)
        case 2:
            transcript.partials.put(saved.index, saved.message)
        case 3 if saved.own:
            session = attempts.sessions.get((attempt, attempts.terms.keys[saved.index]))
            if session is not None:
                session.abort = saved.message
        case 3:
            transcript.aborts.put(saved.index, saved.message)
        case _:
            broadcast.restore(saved.index, saved.message)


def _conclude(conclusion: Conclusion, outcome: SaveOutcome) -> None:
    conclusion.outcome = outcome.outcome
    conclusion.reason = outcome.reason
    conclusion.by = outcome.by
    conclusion.signatures = outcome.signatures
    conclusion.completed_ms = outcome.completed_ms if outcome.outcome is Outcome.COMPLETE else None
    conclusion.turn = outcome.turn


def _renew_abort(session: SigningSession, records: list[SaveRecord]) -> None:
    """The abort message of an ended attempt: another signer's, or the own one, made again if a proof came later."""
    row, abort = session.row, session.abort
    if row.by is not None and abort is None:
        session.abort = session.transcript.aborts[session.terms.index_of[row.by]]
    if row.reason is None or row.reason not in PROVEN:
        return
    if abort is not None and isinstance(abort.record.body, AbortBody) and abort.record.body.reason == row.reason:
        return
    proof = tuple(record.signed for record in records if record.session == row.session and record.culprit)
    session.renew_abort(Ending(Reason(row.reason), EndingScope.REQUEST, culprits=row.culprits, evidence=proof))
