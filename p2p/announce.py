"""Which addresses are announced: the operator's, else those that can be dialled; private ones only if allowed."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address

from p2p.addresses import (
    Multiaddr,
    dial_target,
    dnsaddr_name,
    from_text,
    is_loopback,
    is_private,
    is_relayed,
    is_unspecified,
    require_usable,
    why_unusable,
)
from p2p.errors import AddressError, NetworkError
from p2p.settings import NetworkConfig, Proxy
from p2p.ways.login import read_login

MAX_ANNOUNCED = 16
MAX_RELAYED = 4
# Addresses of the documentation ranges: a UDP socket "connected" to one sends nothing, but learns the local address.
ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class AnnouncedAddresses:
    """Turns the addresses that the host listens on, and those under which peers see it, into those it announces."""

    def __init__(self, config: NetworkConfig) -> None:
        self.private_addresses = config.private_addresses or meant_for_this_machine(config)
        self._hidden = config.proxy is not None
        self._fixed = [Multiaddr(from_text(text)) for text in config.announce]
        self.relayed: list[Multiaddr] = []  # through the relays where this node has a reservation
        self.proven: list[Multiaddr] = []  # where peers reached it

    def __call__(self, candidates: list[Multiaddr]) -> list[Multiaddr]:
        """The addresses to announce, each once, at most 16: direct ones, then those through relays."""
        relayed = self.relayed[:MAX_RELAYED]
        return [*self.direct(candidates)[: MAX_ANNOUNCED - len(relayed)], *relayed]

    def direct(self, candidates: list[Multiaddr]) -> list[Multiaddr]:
        """The addresses at which this node itself may be dialled; behind a proxy only what its operator named."""
        if self._fixed or self._hidden:
            return list(self._fixed)
        concrete = [addr for candidate in [*self.proven, *sorted(candidates, key=_rank)] for addr in _expand(candidate)]
        allowed = [addr for addr in concrete if self.private_addresses or not is_private(addr.to_bytes())]
        return list(dict.fromkeys(allowed))


def listens_on_loopback_only(config: NetworkConfig) -> bool:
    """True when every listen address is a loopback address: then private addresses are the only useful ones."""
    return all(is_loopback(from_text(text)) for text in config.listen)


def meant_for_this_machine(config: NetworkConfig) -> bool:
    """True when nobody but programs on this machine could be meant; behind a proxy loopback is where Tor connects."""
    return config.proxy is None and listens_on_loopback_only(config)


def listen_addresses(config: NetworkConfig) -> list[Multiaddr]:
    """The parsed listen addresses. Raises NetworkError `bad_address` for one not of /ip4|ip6/.../tcp/<port>[/ws]."""
    found = []
    for text in config.listen:
        try:
            addr = Multiaddr(from_text(text))
        except AddressError as error:
            raise NetworkError("bad_address", f"p2p.listen: {error}") from error
        names = [protocol.name for protocol in addr.protocols()]
        if names[:1] not in (["ip4"], ["ip6"]) or names[1:] not in (["tcp"], ["tcp", "ws"]):
            unspoken = why_unusable(addr)
            raise NetworkError(
                "bad_address",
                f"p2p.listen: {text} must look like /ip4/0.0.0.0/tcp/4327 or /ip4/0.0.0.0/tcp/4328/ws"
                + (f"; {unspoken}" if unspoken else ""),
            )
        found.append(addr)
    return found


def _rank(addr: Multiaddr) -> tuple[bool, bool]:
    """Listeners start in any order: what most peers can dial comes first, plain TCP and IPv4."""
    text = str(addr)
    return text.endswith("/ws"), text.startswith("/ip6/")


def _expand(addr: Multiaddr) -> list[Multiaddr]:
    """0.0.0.0 and :: mean all interfaces: the ones that lead elsewhere, and loopback."""
    if not is_unspecified(addr.to_bytes()):
        return [addr]
    _, family, _, rest = str(addr).split("/", 3)
    hosts = _local_hosts(socket.AF_INET6 if family == "ip6" else socket.AF_INET)
    return [Multiaddr(f"/{family}/{host}/{rest}") for host in hosts]


def own_hosts() -> tuple[str, ...]:
    """The addresses of this host that lead elsewhere; others than before when it has moved to another network."""
    return tuple(host for family in ELSEWHERE for host in _local_hosts(family))


def _local_hosts(family: socket.AddressFamily) -> list[str]:
    ways_out = {each: host for each in ELSEWHERE if (host := _way_out(each)) is not None}
    hosts = [ways_out[family]] if family in ways_out else []
    if not ways_out:
        hosts = _hosts_of_interfaces(family)
    return [*hosts, "::1" if family == socket.AF_INET6 else "127.0.0.1"]


def _way_out(family: socket.AddressFamily) -> str | None:
    """The address from which this host reaches the internet; None where no route of this family leads there."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((ELSEWHERE[family], 9))
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _hosts_of_interfaces(family: socket.AddressFamily) -> list[str]:
    """The addresses of all interfaces but loopback: for a local network from which no route leads to the internet."""
    import ifaddr  # noqa: PLC0415 - few hosts need it, and loading it takes longer than all else here

    found = [
        IPv4Address(ip.ip) if ip.is_IPv4 else IPv6Address(ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    version = 6 if family == socket.AF_INET6 else 4
    # A link-local address of IPv6 means nothing without the name of an interface of whoever dials it.
    return [
        str(ip)
        for ip in found
        if ip.version == version and not ip.is_loopback and not (version == 6 and ip.is_link_local)
    ]


def check_addresses(config: NetworkConfig) -> None:
    """Check the addresses before anything runs, without loading libp2p. Raises NetworkError."""
    for addr in listen_addresses(config):
        if config.proxy is not None and (is_unspecified(addr.to_bytes()) or not is_private(addr.to_bytes())):
            raise NetworkError(
                "bad_address",
                f"p2p.listen: who connects to {addr} sees that this host is this peer, which p2p.socks5 is to hide: "
                "listen on /ip4/127.0.0.1/tcp/4327, where the hidden service of Tor hands connections over",
            )
    if config.proxy is not None:
        read_login(config.proxy)
    for setting, texts, check in (
        ("p2p.announce", config.announce, _require_direct),
        ("p2p.bootstrap", config.bootstrap, _require_start),
    ):
        for text in texts:
            try:
                check(text)
                _require_proxy(text, config.proxy)
            except AddressError as error:
                raise NetworkError("bad_address", f"{setting}: {error}") from error


def _require_proxy(text: str, proxy: Proxy | None) -> None:
    """An onion service needs a proxy; with one, no name is looked up here."""
    if proxy is not None and dnsaddr_name(text) is not None:
        raise AddressError(
            "bad_address",
            f"{text[:200]!r} would be looked up by this host, past the proxy of p2p.socks5: name the addresses behind "
            "it, /dns4/NAME/tcp/4327 among them, which the proxy looks up",
        )
    if proxy is None and text.startswith("/onion3/"):
        raise AddressError("bad_address", f"{text[:200]!r} is reached through Tor: set p2p.socks5 to its SOCKS port")


def _require_start(text: str) -> None:
    if dnsaddr_name(text) is None:
        dial_target(text)


def _require_direct(text: str) -> None:
    require_usable(text)
    if is_relayed(Multiaddr(from_text(text))):
        raise AddressError(
            "bad_address",
            f"{text[:200]!r} leads through a relay, and such addresses are announced by themselves: remove it",
        )
