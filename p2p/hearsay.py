"""Limits dialling on hearsay: an address in a notice or a node record may belong to anybody.

All claims about an address share one memory, so that no number of identities makes this node dial it more often:

answered by the promised peer   it may be dialled again
another peer, or none of ours   not for a day, unless for the peer that was found there
nothing                         after half a minute, doubling to a day

and of each range of addresses (/24 or /48; on a private network each address) so many at once, refilled slowly.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from p2p.rates import Paces
from p2p.sources import range_of_host

REMEMBERED = 4_096
FIRST_PAUSE_S, LAST_PAUSE_S = 30.0, 86_400.0
PER_SECOND, AT_ONCE = 0.1, 8.0  # dials into one range


@dataclass(slots=True)
class _Target:
    """The result of the last dial."""

    not_before_s: float
    pause_s: float = FIRST_PAUSE_S
    found: bytes | None = None  # the peer that answered


class Hearsay:
    """Belongs to the trio side. Addresses are texts such as `/ip4/1.2.3.4/tcp/5`, peers binary ids."""

    def __init__(self) -> None:
        self._targets: OrderedDict[str, _Target] = OrderedDict()
        self._ranges = Paces(PER_SECOND, AT_ONCE)

    def may_dial(self, addr: str, peer: bytes, now_s: float) -> bool:
        """Whether a peer may be dialled at a claimed address; if so, it counts as a dial."""
        target = self._targets.get(addr)
        if target is not None and now_s < target.not_before_s and target.found != peer:
            return False
        return self._ranges.of(_range_of(addr), now_s).take(1, now_s)

    def answered(self, addr: str, peer: bytes) -> None:
        """The named peer answered."""
        self._note(addr, _Target(0.0, found=peer))

    def another(self, addr: str, found: bytes | None, now_s: float) -> None:
        """Another peer answered, or something that does not speak the protocols of peers."""
        self._note(addr, _Target(now_s + LAST_PAUSE_S, LAST_PAUSE_S, found))

    def silent(self, addr: str, now_s: float) -> None:
        """Nobody answered."""
        before = self._targets.get(addr)
        known = before is not None and before.found is None
        pause_s = min(2 * before.pause_s, LAST_PAUSE_S) if before is not None and known else FIRST_PAUSE_S
        self._note(addr, _Target(now_s + pause_s, pause_s))

    def _note(self, addr: str, target: _Target) -> None:
        self._targets[addr] = target
        self._targets.move_to_end(addr)
        if len(self._targets) > REMEMBERED:
            self._targets.popitem(last=False)


def _range_of(addr: str) -> bytes:
    """The range of a public IP address, else the host and port as they are."""
    host = addr.split("/")[2] if addr.startswith(("/ip4/", "/ip6/")) else None
    return range_of_host(host) or addr.encode()
