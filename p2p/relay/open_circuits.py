"""Which circuits are open through this relay, and which of them gives way where there are too many.

all, or those of the peer to which a circuit leads    the newest of the range that asked for most gives way to a known
                                                      peer, and to a range that has less
those that one peer, or one range, has asked for      bounded; one more is refused

A circuit counts for the range of the peer that asks for it: the one that it leads to cannot choose who comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from p2p.ports import Standing
from p2p.relay.giving_way import who_gives_way

PER_PEER = 32  # circuits that lead to or come from one peer, or come from one range


@dataclass(slots=True, eq=False)
class Circuit:
    """One that is open. `source`: the range that `asker` came from; `scope`: what it ends with."""

    asker: bytes
    target: bytes
    source: bytes
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)


class OpenCircuits:
    """Belongs to the trio side."""

    def __init__(self, most: int, standing: Callable[[bytes], Standing]) -> None:
        self._most = most
        self._standing = standing
        self._open: dict[Circuit, None] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def place(self, asker: bytes, target: bytes, source: bytes) -> Iterator[Circuit | None]:
        """Count a circuit while it is open, which lasts until its scope is cancelled; None if there are too many."""
        circuit = Circuit(asker, target, source)
        if not self._admit(circuit):
            yield None
            return
        self._open[circuit] = None
        try:
            yield circuit
        finally:
            self._open.pop(circuit, None)

    def _admit(self, new: Circuit) -> bool:
        ends = Counter(end for circuit in self._open for end in (circuit.asker, circuit.target))
        of_range = sum(circuit.source == new.source for circuit in self._open)
        if ends[new.asker] >= PER_PEER or (new.source != new.asker and of_range >= PER_PEER):
            return False
        leaves: set[Circuit] = set()
        for full, within in (
            (ends[new.target] >= PER_PEER, [circuit for circuit in self._open if new.target in _ends(circuit)]),
            (len(self._open) >= self._most, list(self._open)),
        ):
            if full and not leaves.intersection(within):
                circuit = who_gives_way(new, within, self._standing)
                if circuit is None:
                    return False
                leaves.add(circuit)
        for circuit in leaves:
            del self._open[circuit]  # its place is free at once, before its streams have ended
            circuit.scope.cancel()
        return True


def _ends(circuit: Circuit) -> tuple[bytes, bytes]:
    return circuit.asker, circuit.target
