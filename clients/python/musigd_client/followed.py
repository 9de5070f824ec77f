"""What followers get: events, and the progress of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

    from musigd_client.models.requests import SigningRequest
    from musigd_client.models.sessions import Session

GAP: Final = "events:gap"
PROGRESS: Final = "events:progress"
ENDED: Final = frozenset({"complete", "declined", "cancelled", "expired", "failed"})
# What a signer has yet to contribute in each phase of a session.
_OWED: Final[Mapping[str, str]] = {
    "joining": "joined",
    "ready": "nonce",
    "round1": "nonce",
    "round2": "partial_signature",
}


class HeardEvent(TypedDict):
    """One event, as on the wire. Only `events:gap` has no seq."""

    seq: NotRequired[int]
    event: str
    time: int
    data: dict[str, Any]


@dataclass(frozen=True)
class RequestProgress:
    """A request at one moment. `session`: its current attempt, None where this token does not see it."""

    request: SigningRequest
    session: Session | None

    @property
    def phase(self) -> str:
        """The phase of the session while it is open (`joining ready round1 round2`), else the state of the request."""
        live = self.session is not None and self.session.phase in _OWED and not self.ended
        return self.session.phase if live and self.session is not None else self.request.state

    @property
    def missing(self) -> tuple[str, ...]:
        """The public keys of the signers whose contribution is awaited."""
        if self.ended:
            return ()
        if self.session is None or self.session.phase not in _OWED:
            return tuple(signer.public_key for signer in self.request.signers if not signer.joined)
        owed = _OWED[self.session.phase]
        return tuple(signer.public_key for signer in self.session.signers if not getattr(signer, owed))

    @property
    def deadline(self) -> int:
        """When the attempt ends, else when the request expires: milliseconds since 1970 by the daemon's clock."""
        of_session = None if self.session is None else self.session.deadline
        return self.request.expires_at if of_session is None else of_session

    @property
    def ended(self) -> bool:
        """Whether the request has ended."""
        return self.request.state in ENDED
