"""Which signers connect to which: up to MESH signers each to each other, above that through hubs.

The hubs are the creator and, to spare, SPARES other signers, in an order that follows from the request id, so that all
signers choose the same ones without asking. Signers that speak through one peer count once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from musig2.protocol.records.ids import hub_rank

MESH: Final = 16
SPARES: Final = 3


def hub_order(request: bytes, n: int, creator: int) -> tuple[int, ...]:
    """All signers in the order in which they are hubs: the creator, then by `hub_rank`."""
    others = (index for index in range(n) if index != creator)
    return (creator, *sorted(others, key=lambda index: hub_rank(request, index)))


def hubs_of(order: Sequence[int], peer_of: Callable[[int], bytes | None]) -> list[int]:
    """The first signers of the order with SPARES + 1 different peers; one whose peer is not known yet counts."""
    found: list[int] = []
    peers: set[bytes] = set()
    for index in order:
        peer = peer_of(index)
        if peer is not None and peer in peers:
            continue
        if peer is not None:
            peers.add(peer)
        found.append(index)
        if len(found) > SPARES:
            break
    return found
