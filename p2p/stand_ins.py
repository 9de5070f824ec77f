"""Loads of py-libp2p only what runs: TCP, noise and yamux, GossipSub and the DHT.

`import libp2p.peer.id` alone would run the library's package, which imports every transport, key type and service there
is: half of a start, and a quarter of the memory. `config.left_out` says how that is avoided, and
tests/p2p/compat/test_stand_ins.py shows that nodes which do all they can do run and call nothing of what is left out.

miniupnpc, the client of home routers' port mapping, has no wheels for musl, and it parses what anybody in the local
network sends; httpx and requests fetch certificates from a public service. These three are not in the lock file either.
"""

from __future__ import annotations

from importlib import import_module
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, Final

from config.left_out import Unloaded, leave_out


class LateResolver:
    """Stands for `multiaddr.resolvers.DNSResolver`: loads dnspython when the first name is looked up."""

    def __init__(self, **options: Any) -> None:
        """What the library's takes."""
        self._options = options

    async def resolve(self, maddr: Any, options: Any = None) -> Any:
        """As the library's."""
        trio: Any = import_module("trio")
        real: Any = await trio.to_thread.run_sync(import_module, "multiaddr.resolvers.dns")
        return await real.DNSResolver(**self._options).resolve(maddr, options)


class IpAddress:
    """Stands for `netaddr.IPAddress` as multiaddr uses it: text to bytes, number to text. By what the system has."""

    def __init__(self, value: str | int, version: int) -> None:
        """`value`: text, or a number. Raises ValueError."""
        self._family, size = (AF_INET, 4) if version == 4 else (AF_INET6, 16)
        try:
            self.packed = inet_pton(self._family, value) if isinstance(value, str) else value.to_bytes(size)
        except (OSError, OverflowError):
            raise ValueError(f"{value!r} is not an address of IP version {version}") from None

    def __str__(self) -> str:
        return inet_ntop(self._family, self.packed)


NOT_INSTALLED: Final = Unloaded(never_called=("httpx", "miniupnpc", "requests"))
LIBP2P: Final = Unloaded(
    whole="libp2p",
    unrun=(
        "google.protobuf.internal.python_message",  # its C extension does the same
        "libp2p",
        "libp2p.bitswap",
        "libp2p.discovery",
        "libp2p.host.autonat",
        "libp2p.host.autonat.pb",
        "libp2p.kad_dht",
        "libp2p.relay",
        "libp2p.relay.circuit_v2",
        "libp2p.security",
        "libp2p.transport",
        "multiaddr.resolvers",
        "netaddr",
        "psutil",  # the addresses that 0.0.0.0 stands for
    ),
    given={
        "multiaddr.resolvers": {"DNSResolver": LateResolver},
        "netaddr": {"AddrFormatError": ValueError, "IPAddress": IpAddress},
    },
    never_called=(
        "libp2p.bitswap.cid",
        "libp2p.crypto.rsa",  # such keys are refused: p2p/compat/upgrade.py
        "libp2p.discovery.bootstrap",  # instead: p2p/node/bootstrap.py
        "libp2p.discovery.mdns",  # instead: p2p/node/mdns.py
        "libp2p.discovery.random_walk",
        "libp2p.discovery.upnp",
        "libp2p.rcmgr.manager",  # instead: p2p/compat/swarm.py
        "libp2p.records.ipns",
        "libp2p.records.pubkey",
        "libp2p.security.pnet",
        "libp2p.security.tls",
        "libp2p.stream_muxer.mplex",
        "libp2p.transport.quic.config",
        "libp2p.transport.quic.stream",
    ),
    stood_in={
        "cryptography.hazmat.primitives.serialization": ("cryptography.hazmat.primitives.serialization.ssh",),
        "libp2p.host.basic_host": ("cryptography.x509", "cryptography.x509.oid"),
        "libp2p.metrics.swarm": ("prometheus_client",),
    },
)  # fmt: skip  # a table


def stand_in() -> None:
    """Leave out what is named above; to be called before the first import of py-libp2p."""
    leave_out(NOT_INSTALLED)
    leave_out(LIBP2P)
