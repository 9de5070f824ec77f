"""What a client may see of a request's sessions: values, made on demand, that share nothing with the machine."""

from __future__ import annotations

from dataclasses import dataclass

from musig2.protocol.interface.effects import SessionRow, State


@dataclass(frozen=True, slots=True)
class SessionView:
    """One attempt as one own key sees it. The tuples of booleans go by signer index."""

    row: SessionRow  # session, attempt, key, state, reason, culprits, missing, superseded_by, partial_released ...
    joined: tuple[bool, ...]
    nonces: tuple[bool, ...]
    partials: tuple[bool, ...]
    deadline_wall_ms: int | None  # when this state times out; None in a final state
    retrying: bool  # aborted, but another attempt will come by itself

    @property
    def session(self) -> bytes:
        """The session id."""
        return self.row.session

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        return self.row.attempt

    @property
    def state(self) -> State:
        """Where this attempt stands."""
        return self.row.state
