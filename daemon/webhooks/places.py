"""Where a webhook may post to: the public internet, or this machine if its URL says so, but no private network.

A name is resolved once for each connection, and the connection goes to the address that was checked: a name that
changes its address between check and connection (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

from daemon.host.slow_disk import off_loop
from p2p.addresses import is_global

PRIVATE_NETWORKS: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
PRIVATE: Final = "it is in a private network: see the setting rpc.webhook_private_addresses"
PROXIED: Final = "p2p.socks5 is set and webhooks do not go through it, so they are posted on this machine alone"
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class PrivatePlace(OSError):
    """The name resolves to an address that webhooks may not reach."""


class Places:
    """Decides which addresses webhooks may reach. `private`: those of private networks too; `only_here`: none beyond.

    `only_here` is for a host that a proxy hides: a look-up or a connection past it would tell where it is.
    """

    def __init__(self, *, private: bool = False, only_here: bool = False) -> None:
        self._private = private
        self._only_here = only_here

    def allows(self, host: str, address: str) -> bool:
        """Whether a URL with that host may lead to that IP address."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        if is_this_machine(host):
            return ip.is_loopback
        return is_global(str(ip)) or (self._private and any(ip in network for network in PRIVATE_NETWORKS))

    def refusal(self, host: str) -> str | None:
        """The problem of a host that is an IP address, else None; names are checked when they are resolved."""
        if self._only_here and not is_this_machine(host):
            return PROXIED
        try:
            return None if self.allows(host, host) else PRIVATE
        except ValueError:
            return None


def is_this_machine(host: str) -> bool:
    """Whether a URL with that host means this machine, whatever a name server says."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class CheckedResolver(AbstractResolver):
    """Resolves names for aiohttp, each in a thread of its own: one whose server hangs delays nobody else."""

    def __init__(self, places: Places) -> None:
        self._places = places

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises PrivatePlace if none of the addresses may be reached, OSError if there are none."""
        found = await off_loop(lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        allowed = [
            ResolveResult(
                hostname=host, host=str(place[0]), port=int(place[1]), family=kind, proto=protocol, flags=_NUMERIC
            )
            for kind, _, protocol, _, place in found
            if self._places.allows(host, str(place[0]))
        ]
        if not allowed:
            raise PrivatePlace(PRIVATE)
        return allowed

    async def close(self) -> None:
        """Does nothing: no answer is cached."""
