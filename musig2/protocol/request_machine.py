"""One signing request, sans-IO: inputs and a clock value in, effects out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .effects import Effect, Outcome, SaveJoin, SaveMessage, SaveOutcome, SaveRecord, SessionRow
from .inputs import Input, Now
from .records import Join, Request
from .views import SessionView
from .wire import Frame, Signed


class SigningRequest:
    """All attempts of one request for all own keys. Not thread-safe; it never blocks and does no I/O."""

    def __init__(
        self,
        request: Signed[Request],
        own_keys: frozenset[bytes],
        sign_message: Callable[[bytes], bytes],
        own_peer: bytes,
    ) -> None:
        """`own_keys`: the required keys that this daemon holds (may be none). `sign_message` signs a 32-byte id with
        this daemon's peer identity (ed25519, 64 bytes); `own_peer` is that identity's peer id."""
        raise NotImplementedError

    @classmethod
    def restore(
        cls,
        request: Signed[Request],
        own_keys: frozenset[bytes],
        sign_message: Callable[[bytes], bytes],
        own_peer: bytes,
        *,
        joins: Iterable[SaveJoin] = (),
        messages: Iterable[SaveMessage] = (),
        rows: Iterable[SessionRow] = (),
        outcome: SaveOutcome | None = None,
        records: Iterable[SaveRecord] = (),
    ) -> SigningRequest:
        """Rebuild from what its own Save effects left in the store, in any order. Feed `Restarted` next.

        `outcome`: the last one stored (with `signatures`, `completed_ms`, `turn`), None if none ever was.
        """
        raise NotImplementedError

    def handle(self, inp: Input, now: Now) -> list[Effect]:
        """Take one input to quiescence. The effects are to be executed as effects.py says."""
        raise NotImplementedError

    def next_wakeup_ms(self) -> int | None:
        """When to feed `Tick` (monotonic clock), or None."""
        raise NotImplementedError

    @property
    def outcome(self) -> Outcome:
        """The state of the request."""
        raise NotImplementedError

    @property
    def reason(self) -> str | None:
        """Why it ended, as stored with the outcome."""
        raise NotImplementedError

    @property
    def ended_by(self) -> bytes | None:
        """Pubkey that declined, cancelled or aborted it."""
        raise NotImplementedError

    @property
    def attempt(self) -> int:
        """The highest attempt in any valid join; 0 before the first."""
        raise NotImplementedError

    @property
    def signatures(self) -> tuple[bytes, ...]:
        """The final signatures, one per item; empty until complete."""
        raise NotImplementedError

    @property
    def partial_released(self) -> bool:
        """Whether a partial signature of an own key ever left: the inputs are to be treated as possibly spent."""
        raise NotImplementedError

    @property
    def idle(self) -> bool:
        """Nothing is left to do: may be dropped from memory (a later frame re-loads it from the store)."""
        raise NotImplementedError

    @property
    def coordinator(self) -> int | None:
        """Signer index whose turn it is (or would be first) to broadcast; None without an election."""
        raise NotImplementedError

    @property
    def joins(self) -> tuple[Signed[Join] | None, ...]:
        """The joins of the highest attempt, by signer index."""
        raise NotImplementedError

    def peer_of(self, index: int) -> bytes | None:
        """The peer named by that signer's join in the highest attempt that has one."""
        raise NotImplementedError

    def session_views(self) -> tuple[SessionView, ...]:
        """One per attempt and own key, in the order of attempts."""
        raise NotImplementedError

    def introduction(self) -> list[Frame]:
        """What a signer that has just been given the request should get with it: joins, or how it ended."""
        raise NotImplementedError
