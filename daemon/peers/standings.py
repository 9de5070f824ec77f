"""How well this daemon knows each peer, and why; it decides how much the peer may ask for and whose turn comes first.

known         named by the own configuration; signed with before; in a session with an own key right now; behind an
              advertisement of a pinned key, of a contact, or of one that was signed with
established   behind an advertisement that this daemon has held for an hour
stranger      everybody else: identities cost nothing
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

from p2p.network import Standing

PARTNERS = 10_000  # the latest ones are remembered


def _nobody(peer: bytes, standing: Standing) -> None:
    """A listener that ignores changes, for tests."""


class Standings:
    """Belongs to the event loop.

    `tell` is called on each change; `look_up` returns what the directory says of a peer.
    """

    def __init__(
        self,
        *,
        tell: Callable[[bytes, Standing], None] = _nobody,
        look_up: Callable[[bytes], Standing] = lambda peer: Standing.STRANGER,
        configured: Iterable[bytes] = (),
    ) -> None:
        self._tell = tell
        self._look_up = look_up
        self._configured = frozenset(configured)
        self._partners: OrderedDict[bytes, None] = OrderedDict()
        self._live: dict[bytes, set[bytes]] = {}  # request -> the peers of its other signers
        self._sessions: Counter[bytes] = Counter()  # the same the other way round
        self._met: dict[bytes, Standing] = {}  # connected peers that the directory knows
        for peer in self._configured:
            tell(peer, Standing.KNOWN)

    def of(self, peer: bytes) -> Standing:
        """How well that peer is known now."""
        if peer in self._partners or peer in self._sessions or peer in self._configured:
            return Standing.KNOWN
        return self._met.get(peer, Standing.STRANGER)

    def met(self, peer: bytes) -> None:
        """A peer is connected."""
        found = self._look_up(peer)
        if found is not Standing.STRANGER:
            self._met[peer] = found
            self._tell(peer, self.of(peer))

    def left(self, peer: bytes) -> None:
        """The last connection of a peer is gone."""
        if self._met.pop(peer, None) is not None:
            self._tell(peer, self.of(peer))

    def partner(self, peer: bytes) -> None:
        """A signature was made together with a signer at that peer."""
        before = self.of(peer)
        self._partners[peer] = None
        self._partners.move_to_end(peer)
        self._told(peer, before)
        if len(self._partners) > PARTNERS:
            oldest, _ = self._partners.popitem(last=False)
            self._tell(oldest, self.of(oldest))

    def party(self, request: bytes, peers: Iterable[bytes]) -> None:
        """An own key takes part in that request, and so do these peers."""
        live = self._live.setdefault(request, set())
        for peer in peers:
            if peer not in live:
                before = self.of(peer)
                live.add(peer)
                self._sessions[peer] += 1
                self._told(peer, before)

    def in_session(self, peer: bytes) -> bool:
        """Whether it takes part in a request with an own key. May be asked from another thread: it is one look-up."""
        return peer in self._sessions

    def over(self, request: bytes) -> None:
        """That request has ended."""
        for peer in self._live.pop(request, ()):
            self._sessions[peer] -= 1
            if not self._sessions[peer]:
                del self._sessions[peer]
                self._told(peer, Standing.KNOWN)

    def _told(self, peer: bytes, before: Standing) -> None:
        after = self.of(peer)
        if after is not before:
            self._tell(peer, after)
