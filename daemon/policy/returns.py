"""Which outputs of a transaction have come back already, where several requests sign its inputs.

Each request alone would count the whole change as its own: two that sign one input each of the same transaction, both
with nothing to lose, could pay the worth of one input to anybody. So every output comes back once, to the request that
was joined first.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ComingBack:
    """The outputs, by position, of the transaction with this digest that a request counts as coming back."""

    transaction: bytes
    outputs: frozenset[int]


class Returns:
    """The outputs claimed by requests that are joined and not over; those of signed requests are in the store."""

    def __init__(self) -> None:
        self._claims: dict[bytes, ComingBack] = {}
        self._requests: dict[bytes, set[bytes]] = {}  # by transaction

    def copied(self) -> Returns:
        """The same claims; what is claimed in the copy is not claimed here."""
        other = Returns()
        for request, claim in self._claims.items():
            other.claim(request, claim)
        return other

    def claim(self, request: bytes, claim: ComingBack) -> None:
        """Claim outputs for a request that is joined or signed."""
        self.release(request)
        self._claims[request] = claim
        self._requests.setdefault(claim.transaction, set()).add(request)

    def release(self, request: bytes) -> None:
        """A request is over: release its claims."""
        claim = self._claims.pop(request, None)
        if claim is not None:
            requests = self._requests[claim.transaction]
            requests.discard(request)
            if not requests:
                del self._requests[claim.transaction]

    def claimed(self, transaction: bytes, without: bytes) -> frozenset[int]:
        """The outputs that other requests count as coming back."""
        others = self._requests.get(transaction, set()) - {without}
        return frozenset[int]().union(*(self._claims[request].outputs for request in others))
