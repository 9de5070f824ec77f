"""This node's ports at the router: nothing is asked, and nothing of that loaded, unless the settings say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

import trio

from p2p.announce import own_hosts
from p2p.compat.host import GuardedHost
from p2p.dialback.reachability import ReachTests
from p2p.ports import MappingState, PortMapping
from p2p.settings import NetworkConfig

ANY: Final = str(IPv4Address(0))

if TYPE_CHECKING:
    from p2p.upnp.gateway import Gateway
    from p2p.upnp.mapping import PortMappings


class ForwardedPorts:
    """Belongs to the trio side of one life. `tell()` is called when `report` changes."""

    def __init__(
        self,
        config: NetworkConfig,
        host: GuardedHost,
        tests: ReachTests,
        tell: Callable[[], None],
        clock_ms: Callable[[], int],
    ) -> None:
        self._config, self._host, self._tests, self._tell = config, host, tests, tell
        self._mappings: PortMappings | None = None
        if config.port_mapping:
            from p2p.upnp.mapping import PortMappings  # noqa: PLC0415 - most nodes do without

            self._mappings = PortMappings(
                self._find, self._ports, self._changed, clock_ms, private_addresses=config.private_addresses
            )
        self.report = None if self._mappings is None else self._mappings.report
        self._way = PortMapping().way  # the last that was told

    async def run(self) -> None:
        """Keep the ports mapped, for as long as the node runs."""
        if self._mappings is not None:
            await self._mappings.run()
        await trio.sleep_forever()

    async def end(self) -> None:
        """Delete what is mapped."""
        if self._mappings is not None:
            await self._mappings.end()

    def moved(self) -> None:
        """This host has other addresses than before."""
        if self._mappings is not None:
            self._mappings.moved()

    def _changed(self) -> None:
        self.report = None if self._mappings is None else self._mappings.report
        if self.report is not None and self.report.state is MappingState.MAPPED:
            self._tests.mapped = dict(self.report.ports)
            if self._way != self.report.way:
                self._way = self.report.way
                self._tests.moved()  # what peers said before is of the past
        self._tell()

    async def _find(self) -> Gateway:
        from p2p.upnp.gateway import find_gateway  # noqa: PLC0415 - most nodes do without
        from p2p.upnp.search import Lan, local_network  # noqa: PLC0415 - as above

        if self._config.gateways:
            known = self._config.gateways
            return await find_gateway(Lan((ANY,), known, frozenset(host for host, _ in known)))
        return await find_gateway(local_network(sorted(set(self._hosts()))))

    def _bound(self) -> Iterator[tuple[str, int]]:
        """Host and port of each listener for IPv4: IPv6 needs no translation."""
        for addr in self._host.get_transport_addrs():
            _, family, host, _, port, *_ = str(addr).split("/")
            if family == "ip4":
                yield host, int(port)

    def _ports(self) -> list[int]:
        return sorted({port for _, port in self._bound()})

    def _hosts(self) -> Iterator[str]:
        """The addresses of this host that a router could forward to."""
        for bound, _ in self._bound():
            for host in own_hosts() if IPv4Address(bound).is_unspecified else (bound,):
                if ":" not in host and not host.startswith("127."):
                    yield host
