"""This node's ports at the router: nothing is asked, and nothing of that loaded, unless the settings say so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final

import trio

from p2p.announce import own_hosts
from p2p.compat.host import GuardedHost
from p2p.dialback.reachability import ReachTests
from p2p.ports import MappingFault, MappingState, PortMapping
from p2p.settings import NetworkConfig

ANY: Final = str(IPv4Address(0))
WAYS: Final = {"off": (), "upnp": ("upnp",), "natpmp": ("natpmp",), "auto": ("natpmp", "upnp")}  # by the setting

if TYPE_CHECKING:
    from p2p.port_mapping.mappings import PortMappings
    from p2p.port_mapping.router import Router


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
        self._ways = list(WAYS[config.port_mapping])
        if self._ways:
            from p2p.port_mapping.mappings import PortMappings  # noqa: PLC0415 - most nodes do without

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

    async def _find(self) -> Router:
        """A router that answers; after a failure the other way comes first. Raises GatewayFault."""
        from p2p.port_mapping.router import GatewayFault  # noqa: PLC0415 - most nodes do without

        if self._mappings is not None and self._mappings.report.state is MappingState.FAILED:
            self._ways.reverse()
        faults: list[GatewayFault] = []
        for way in self._ways:
            try:
                return await (self._by_upnp() if way == "upnp" else self._by_natpmp())
            except GatewayFault as fault:
                faults.append(fault)
        told = [fault for fault in faults if fault.kind is not MappingFault.NO_GATEWAY]
        if told or len(faults) == 1:
            raise (told or faults)[0]
        raise GatewayFault(MappingFault.NO_GATEWAY, " ".join(map(str, faults)))

    async def _by_upnp(self) -> Router:
        from p2p.port_mapping.upnp.gateway import find_gateway  # noqa: PLC0415 - most nodes do without
        from p2p.port_mapping.upnp.search import Lan, local_network  # noqa: PLC0415 - as above

        if self._config.gateways:
            known = self._config.gateways
            return await find_gateway(Lan((ANY,), known, frozenset(host for host, _ in known)))
        return await find_gateway(local_network(sorted(set(self._hosts()))))

    async def _by_natpmp(self) -> Router:
        from p2p.port_mapping.natpmp.gateway import find_pmp_gateway  # noqa: PLC0415 - most nodes do without
        from p2p.port_mapping.natpmp.messages import NONCE_BYTES, PORT  # noqa: PLC0415 - as above
        from p2p.port_mapping.upnp.search import default_gateways  # noqa: PLC0415 - as above

        places = self._config.gateways or tuple((host, PORT) for host in sorted(default_gateways() or ()))
        seed = self._host.get_private_key().to_bytes()  # the same after a restart, or the old mapping is another's
        nonce = hashlib.blake2b(seed, digest_size=NONCE_BYTES, person=b"musigd-pcp-nonce").digest()
        return await find_pmp_gateway(places, nonce)

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
