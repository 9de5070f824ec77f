"""What keeps others from finding this daemon, and what its owner can do about it."""

from __future__ import annotations

from daemon.clock import Clock
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.peers.dialling import Company
from daemon.discovery.ports import DirectoryNetwork
from daemon.discovery.sync.rounds import Rounds

ALONE_MS = 20_000


class Problems:
    """Answers from memory."""

    def __init__(
        self,
        *,
        net: DirectoryNetwork,
        clock: Clock,
        limits: DiscoveryLimits,
        rounds: Rounds,
        company: Company,
    ) -> None:
        self._net = net
        self._clock = clock
        self._limits = limits
        self._rounds = rounds
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
        ahead_ms = self._rounds.clock_ahead_ms()
        if ahead_ms is not None and abs(ahead_ms) > self._limits.checks.skew_ms // 2:
            way = "behind" if ahead_ms > 0 else "ahead of"
            found.append(
                (
                    "clock_wrong",
                    f"This machine's clock is {abs(ahead_ms) // 1000} s {way} that of its peers, who refuse what it "
                    "publishes: set it, for example with NTP.",
                )
            )
        if not self._net.multiaddrs():
            found.append(
                (
                    "not_dialable",
                    "Others cannot dial this daemon, because all its addresses are private: name a public one in "
                    "p2p.announce, or set p2p.private_addresses for a local network, and restart.",
                )
            )
        return found
