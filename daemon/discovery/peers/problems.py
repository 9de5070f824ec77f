"""What keeps others from finding this daemon, and what its owner can do about it."""

from __future__ import annotations

from daemon.clock import Clock
from daemon.discovery.peers.clocks import PeerClocks
from daemon.discovery.peers.connector import Connector
from daemon.discovery.ports import DirectoryNetwork

ALONE_MS = 20_000


class Problems:
    """Answers from memory."""

    def __init__(
        self,
        *,
        net: DirectoryNetwork,
        clock: Clock,
        clocks: PeerClocks,
        company: Connector,
    ) -> None:
        self._net = net
        self._clock = clock
        self._clocks = clocks
        self._company = company

    def found(self) -> list[tuple[str, str]]:
        """(reason, remedy) of each."""
        found = []
        alone_since_ms = self._company.alone_since_ms
        if alone_since_ms is not None and self._clock.mono_ms() - alone_since_ms >= ALONE_MS:
            found.append(
                (
                    "no_peers",
                    "Name at least one node in p2p.bootstrap, or call connectPeer with its address; check that a "
                    "firewall does not hold back outgoing TCP connections.",
                )
            )
        remedy = self._clocks.remedy()
        if remedy is not None:
            found.append(("clock_wrong", remedy))
        if not self._net.multiaddrs() and self._net.reachability.proxied:
            found.append(
                (
                    "not_dialable",
                    "Others cannot dial this daemon: p2p.announce names no onion service, and no relay was found. Name "
                    "the address of its hidden service there, or a daemon with p2p.relay_service in p2p.bootstrap, and "
                    "restart.",
                )
            )
        elif not self._net.multiaddrs():
            found.append(
                (
                    "not_dialable",
                    "Others cannot dial this daemon, because all its addresses are private, and no relay was found: "
                    "name a public one in p2p.announce, a daemon with p2p.relay_service in p2p.bootstrap, or set "
                    "p2p.private_addresses for a local network, and restart.",
                )
            )
        return found
