"""Multiaddrs: text and bytes, what is private, what can be dialled."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from config.text.plain_text import cleaned
from musig2.protocol.records.peers import PEER_BYTES, PREFIX, peer_text
from p2p.errors import AddressError
from p2p.places import Multiaddr, place_of

__all__ = [
    "Multiaddr",
    "by_turns",
    "dial_target",
    "dialable",
    "dnsaddr_name",
    "from_text",
    "ip_of",
    "is_global",
    "is_loopback",
    "is_onion",
    "is_private",
    "is_relayed",
    "is_unspecified",
    "join_peer",
    "readable",
    "relay_of",
    "require_usable",
    "split_peer",
    "through",
    "to_text",
    "why_unusable",
    "without_peer",
]

MAX_ADDR_BYTES = 256
P2P_CODE, CIRCUIT_CODE = 421, 290
_HOST_NAME = re.compile(r"[a-zA-Z0-9_-]{1,63}(\.[a-zA-Z0-9_-]{1,63}){1,9}\.?")
LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")
PUBLIC_IP6 = ipaddress.ip_network("2000::/3")
SIX_TO_FOUR = ipaddress.ip_network("2002::/16")  # holds any IPv4 address, private ones too


def to_text(addr: bytes) -> str:
    """The text of a binary multiaddr, its host names cleaned, since they may contain anything. Raises AddressError."""
    return cleaned(str(_parse(addr)))


def from_text(text: str) -> bytes:
    """The binary form of a multiaddr text, without a trailing `/p2p/...`. Raises AddressError."""
    addr, found, last = text.rpartition("/p2p/")
    return bytes(_parse(addr if found and "/" not in last else text).to_bytes())


def split_peer(text: str) -> tuple[bytes, bytes]:
    """`.../p2p/<peer>` as (binary address, binary peer id). Raises AddressError, also without a peer id of our kind."""
    addr, found, peer = text.rpartition("/p2p/")
    if not found or not addr:
        raise AddressError("bad_address", f"{text[:200]!r} does not end in /p2p/<peer id>: see the other's getInfo")
    try:
        suffix = Multiaddr(f"/p2p/{peer}").to_bytes()
    except Exception as error:  # the library raises many kinds for a bad id
        raise AddressError("bad_address", f"{peer[:100]!r} is not a peer id") from error
    binary = bytes(suffix[_p2p_prefix_length(suffix) :])
    if len(binary) != PEER_BYTES or not binary.startswith(PREFIX):
        raise AddressError(
            "bad_address", f"{peer[:100]!r} is of another kind: peers of this network begin with 12D3Koo"
        )
    return from_text(addr), binary


def _p2p_prefix_length(addr: bytes) -> int:
    """Two bytes of protocol code, then the id's length as a varint (one byte below 128)."""
    return 3 if addr[2] < 0x80 else 4


def join_peer(addr: bytes, peer: bytes) -> str:
    """The text that another node can dial."""
    return f"{to_text(addr)}/p2p/{peer_text(peer)}"


def without_peer(addr: Multiaddr) -> Multiaddr:
    """The address without a trailing `/p2p/...`; the peer id of a relay stays."""
    codes = [protocol.code for protocol in addr.protocols()]
    return addr.decapsulate_code(P2P_CODE) if codes[-1:] == [P2P_CODE] else addr


def ip_of(addr: Multiaddr) -> str | None:
    """The IP address with which it begins, as text; None if it begins with anything else."""
    kind, host = _host(addr)
    return host if kind in ("ip4", "ip6") else None


def is_relayed(addr: Multiaddr) -> bool:
    """True for an address through a relay, `.../p2p/<relay>/p2p-circuit`."""
    return any(protocol.code == CIRCUIT_CODE for protocol in addr.protocols())


def relay_of(addr: Multiaddr) -> tuple[Multiaddr, bytes] | None:
    """The address of the relay, without its `/p2p/...`, and its binary peer id; None for a direct address."""
    if not is_relayed(addr):
        return None
    relay = addr.decapsulate_code(CIRCUIT_CODE)
    suffix = relay.to_bytes()[len(without_peer(relay).to_bytes()) :]
    return without_peer(relay), bytes(suffix[_p2p_prefix_length(suffix) :])


def through(relay: Multiaddr, peer: bytes) -> Multiaddr:
    """The address under which others reach this node through the relay `peer` at `relay`."""
    return Multiaddr(f"{relay}/p2p/{peer_text(peer)}/p2p-circuit")


def is_private(addr: bytes) -> bool:
    """True if no stranger can reach it: loopback, private, link-local, shared or reserved ranges, local names."""
    return _is_private(_parse(addr))


def is_loopback(addr: bytes) -> bool:
    """True for 127.0.0.0/8, ::1 and `localhost`."""
    kind, host = _host(_parse(addr))
    return host == "localhost" if kind.startswith("dns") else bool(host) and ipaddress.ip_address(host).is_loopback


def is_unspecified(addr: bytes) -> bool:
    """True for 0.0.0.0 and ::, which mean all interfaces and cannot be dialled."""
    kind, host = _host(_parse(addr))
    return kind in ("ip4", "ip6") and ipaddress.ip_address(host).is_unspecified


def dialable(addr: Multiaddr, *, private_addresses: bool, onions: bool = False) -> bool:
    """True when this node may dial the address: of a kind that works, and not private unless that is allowed.

    `onions`: onion services too, for which Tor is needed.
    """
    try:
        place = place_of(addr)
        return onions if place.is_onion else private_addresses or not _is_private(addr)
    except Exception:  # noqa: BLE001 - an address that the library cannot read is not dialled
        return False


def why_unusable(addr: Multiaddr) -> str | None:
    """Why no node of this network dials an address of that kind, as a sentence; None if some do."""
    try:
        place_of(addr)
    except AddressError as error:
        return str(error)
    return None


def dnsaddr_name(text: str) -> tuple[str, bytes | None] | None:
    """The name behind `/dnsaddr/`, and the peer id if one follows; None for another address. Raises AddressError."""
    parts = text.split("/")
    if parts[:2] != ["", "dnsaddr"]:
        return None
    if len(parts) not in (3, 5) or (len(parts) == 5 and parts[3] != "p2p"):
        raise AddressError("bad_address", f"{text[:200]!r} must look like /dnsaddr/NAME or /dnsaddr/NAME/p2p/<peer id>")
    if _HOST_NAME.fullmatch(parts[2]) is None:
        raise AddressError("bad_address", f"{parts[2][:100]!r} is not a host name")
    return parts[2], split_peer(f"/dns/{parts[2]}/tcp/1/p2p/{parts[4]}")[1] if len(parts) == 5 else None


def dial_target(text: str) -> tuple[bytes, bytes]:
    """`split_peer` of an address to dial. Raises AddressError; an unsupported kind is reported before a bad peer id."""
    addr, found, peer = text.rpartition("/p2p/")
    require_usable(addr if found and "/" not in peer else text)
    return split_peer(text)


def require_usable(text: str) -> None:
    """Raises AddressError with the reason when no node of this network dials an address of that kind."""
    problem = why_unusable(_parse(text))
    if problem is not None:
        raise AddressError("bad_address", f"{text[:200]!r} cannot be dialled: {problem}")


def is_onion(addr: Multiaddr) -> bool:
    """True for an onion service, or a relay at one, which only Tor reaches."""
    return next((str(protocol.name) for protocol in addr.protocols()), "") == "onion3"


def _is_private(addr: Multiaddr) -> bool:
    if is_onion(addr):
        return False
    kind, host = _host(addr)
    if kind.startswith("dns"):
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(LOCAL_NAMES)
    return not host or not is_global(host)


def is_global(host: str) -> bool:
    """Whether that IP address, as text, is one of the open internet; what holds an IPv4 address is like that one."""
    ip = ipaddress.ip_address(host)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None and (ip not in PUBLIC_IP6 or ip in SIX_TO_FOUR):
            return False  # above all those that lead to an IPv4 address inside: 64:ff9b::/96, ::/96
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast


def _host(addr: Multiaddr) -> tuple[str, str]:
    """The first component and its value; ("", "") when it names no host."""
    for protocol, value in addr.items():
        if protocol.name in ("ip4", "ip6") or protocol.name.startswith("dns"):
            return str(protocol.name), str(value)
        break
    return "", ""


def _parse(addr: bytes | str) -> Multiaddr:
    if len(addr) > MAX_ADDR_BYTES or not addr:
        raise AddressError("bad_address", f"a multiaddr has 1 to {MAX_ADDR_BYTES} bytes")
    try:
        parsed = Multiaddr(addr)
        again = Multiaddr(str(parsed))  # the library accepts truncated bytes
    except Exception as error:  # it raises many kinds for bad input
        raise AddressError("bad_address", f"{addr[:200]!r} is not a multiaddr") from error
    if again.to_bytes() != parsed.to_bytes():
        raise AddressError("bad_address", f"{addr[:200]!r} is an incomplete multiaddr")
    return parsed


def by_turns(addrs: Iterable[Multiaddr]) -> list[Multiaddr]:
    """In the same order, but with IPv6 addresses and others by turns: a family that does not work costs one attempt."""
    queues: dict[bool, list[Multiaddr]] = {}
    for addr in addrs:
        queues.setdefault(_host(addr)[0] == "ip6", []).append(addr)
    longest = max(map(len, queues.values()), default=0)
    return [queue[index] for index in range(longest) for queue in queues.values() if index < len(queue)]


def readable(addrs: Iterable[bytes]) -> list[Multiaddr]:
    """The addresses that can be parsed; the others are left out."""
    found = []
    for addr in addrs:
        try:
            found.append(_parse(addr))
        except AddressError:
            continue
    return found
