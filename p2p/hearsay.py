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
    pause_s: float
    found: bytes | None = None  # the peer that answered


class Hearsay:
    """Belongs to the trio side. Addresses are texts such as `/ip4/1.2.3.4/tcp/5`, peers binary ids."""

    def __init__(self) -> None:
        self._targets: OrderedDict[str, _Target] = OrderedDict()
        self._ranges = Paces(PER_SECOND, AT_ONCE)

    def may_dial(self, addr: str, peer: bytes, now_s: float) -> bool:
        """Whether a peer may be dialled where somebody says that it is.

        A yes counts as a dial, of which nothing has come yet: until it has, nobody else is dialled there.
        """
        before = self._targets.get(addr)
        if before is not None and now_s < before.not_before_s and before.found != peer:
            return False
        if not self._ranges.of(_range_of(addr), now_s).take(1, now_s):
            return False
        pause_s = before.pause_s if before is not None and before.found is None else FIRST_PAUSE_S / 2
        self._note(addr, _Target(now_s + max(pause_s, FIRST_PAUSE_S), pause_s))
        return True

    def answered(self, addr: str, peer: bytes) -> None:
        """The promised peer was there."""
        self._note(addr, _Target(0.0, FIRST_PAUSE_S / 2, peer))

    def another(self, addr: str, found: bytes | None, now_s: float) -> None:
        """Somebody else was there, or something that does not speak as peers do."""
        self._note(addr, _Target(now_s + LAST_PAUSE_S, LAST_PAUSE_S, found))

    def silent(self, addr: str, now_s: float) -> None:
        """Nobody was there."""
        before = self._targets.get(addr)
        pause_s = FIRST_PAUSE_S if before is None else min(2 * before.pause_s, LAST_PAUSE_S)
        self._note(addr, _Target(now_s + pause_s, pause_s))

    def _note(self, addr: str, target: _Target) -> None:
        self._targets[addr] = target
        self._targets.move_to_end(addr)
        if len(self._targets) > REMEMBERED:
            self._targets.popitem(last=False)


def _range_of(addr: str) -> bytes:
    """The range of a public IP address, else the host and port as they are; onion services, which are free, are one."""
    if addr.startswith("/onion3/"):
        return b"onion3"
    host = addr.split("/")[2] if addr.startswith(("/ip4/", "/ip6/")) else None
    return range_of_host(host) or addr.encode()
