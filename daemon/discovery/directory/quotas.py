"""How much of the directory one peer, one address range and one kind may take.

A record counts for the peer that countersigned it, never for the one that delivered it: an honest relay is not punished
for what it relays, and an attacker needs a peer identity and an address range for each share.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeVar

from daemon.discovery.directory.lines import LineOwner
from daemon.discovery.directory.statements import Kind
from daemon.discovery.limits import DiscoveryLimits

T = TypeVar("T")

SIGNER_KINDS = (Kind.ADVERTISEMENT, Kind.WITHDRAWAL)
COUNT_BY_PEER = "SELECT count(*) FROM directory_log WHERE peer = ? AND kind = ?"
BOTH_BY_PEER = "SELECT sum(kind = 1), sum(kind = 2) FROM directory_log WHERE peer = ?"
COUNT_BY_NET = "SELECT count(*) FROM directory_log WHERE net = ? AND kind = ?"


AT_ONCE = 500  # values in one query


def portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in chunks that fit into one SQL statement."""
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


class Quotas:
    """The counts that one write needs: read from the log on first use, then updated while the write lasts."""

    def __init__(self, conn: sqlite3.Connection, limits: DiscoveryLimits) -> None:
        self._conn = conn
        self._limits = limits
        self._counts: dict[tuple[str, bytes | None, Kind], int] = {}

    def refusal(self, new: LineOwner, held: LineOwner | None) -> str | None:
        """Why a line is refused: `quota`, `range` (a line of it may give way) or None. `held`: the line it replaces."""
        if new == held:
            return None
        limits = self._limits
        match new.kind:
            case Kind.ADVERTISEMENT:
                return self._signer_refusal(new, held)
            case Kind.WITHDRAWAL:
                return None  # always taken; those of unknown keys are evicted at random
            case Kind.NODE if new.net is not None and (held is None or held.net != new.net):
                return "range" if self._of(COUNT_BY_NET, new.net, new.kind) >= limits.nodes_per_net else None
            case Kind.NODE:
                return None
            case Kind.NOTICE:
                return "quota" if self._of(COUNT_BY_PEER, new.peer, new.kind) >= limits.notices_per_peer else None

    def expect(self, signers: Sequence[LineOwner]) -> None:
        """Count in one query what `refusal` will need for these advertisements."""
        peers = list(dict.fromkeys(holder.peer for holder in signers))
        self._counts.update(dict.fromkeys(((COUNT_BY_PEER, peer, kind) for peer in peers for kind in SIGNER_KINDS), 0))
        nets = list(dict.fromkeys(holder.net for holder in signers if holder.net is not None))
        self._counts.update(dict.fromkeys(((COUNT_BY_NET, net, Kind.ADVERTISEMENT) for net in nets), 0))
        for sql, column, values in ((COUNT_BY_PEER, "peer", peers), (COUNT_BY_NET, "net", nets)):
            for some in portions(values):
                marks = ", ".join("?" * len(some))
                counted = (
                    f"SELECT {column}, kind, count(*) FROM directory_log"  # noqa: S608 - names and marks only
                    f" WHERE {column} IN ({marks}) AND kind IN (1, 2) GROUP BY {column}, kind"
                )
                for value, kind, count in self._conn.execute(counted, some):
                    self._counts[sql, value, Kind(kind)] = count

    def moved(self, line: LineOwner, by: int) -> None:
        """A line was appended (1) or removed (-1)."""
        for key in ((COUNT_BY_PEER, line.peer, line.kind), (COUNT_BY_NET, line.net, line.kind)):
            if key in self._counts:
                self._counts[key] += by

    def _signer_refusal(self, new: LineOwner, held: LineOwner | None) -> str | None:
        limits = self._limits
        signers, withdrawn = self._statements_of(new.peer)
        was_signer = held is not None and held.kind is Kind.ADVERTISEMENT
        same_peer = held is not None and held.peer == new.peer
        if not (same_peer and was_signer) and signers >= limits.advertisements_per_peer:
            return "quota"
        if not same_peer and signers + withdrawn >= limits.statements_per_peer:
            return "quota"
        if new.net is None or (was_signer and held is not None and held.net == new.net):
            return None
        neighbours = self._of(COUNT_BY_NET, new.net, Kind.ADVERTISEMENT)
        return "range" if neighbours >= limits.advertisements_per_net else None

    def _statements_of(self, peer: bytes | None) -> tuple[int, int]:
        """How many advertisements and withdrawals count for a peer."""
        keys = [(COUNT_BY_PEER, peer, kind) for kind in SIGNER_KINDS]
        if keys[0] not in self._counts:
            both = self._conn.execute(BOTH_BY_PEER, (peer,)).fetchone()
            self._counts.update((key, count or 0) for key, count in zip(keys, both, strict=True))
        return self._counts[keys[0]], self._counts[keys[1]]

    def _of(self, sql: str, value: bytes | None, kind: Kind) -> int:
        key = (sql, value, kind)
        if key not in self._counts:
            self._counts[key] = self._conn.execute(sql, (value, kind.value)).fetchone()[0]
        return self._counts[key]
