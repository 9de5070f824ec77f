"""Which topics this daemon subscribes to: those of its transaction types, and the one of notices."""

from __future__ import annotations

from collections.abc import Callable

from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.publish import Publisher
from daemon.discovery.ports import DirectoryNetwork
from p2p.network import P2PError


class Topics:
    """Belongs to the event loop. `followed`: the types that clients follow."""

    def __init__(
        self,
        *,
        net: DirectoryNetwork,
        publisher: Publisher,
        own: OwnAdvertisements,
        followed: Callable[[], frozenset[str]],
    ) -> None:
        self._net = net
        self._publisher = publisher
        self._own = own
        self._followed = followed

    def types(self) -> frozenset[str]:
        """The types that a client follows or an own key advertises."""
        own = {name for row in self._own.rows() if not row.withdrawn for name in row.types}
        return self._followed() | own

    async def follow(self) -> None:
        """Subscribe to exactly the topics of these types."""
        topics = {self._publisher.topic_of(name) for name in self.types()}
        try:
            await self._net.follow(frozenset(topics | {self._publisher.requests_topic}))
        except P2PError:
            return  # libp2p is down; repeated when it is up
