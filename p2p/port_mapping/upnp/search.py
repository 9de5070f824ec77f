"""Finds the router: SSDP, the search of UPnP Device Architecture 1.1 (section 1.3), as datagrams of bounded number.

Who answers has to be the default gateway, so that no other machine of the local network takes its place by answering
first; where the system does not tell which that is, any private address. The search goes to the gateway itself too: a
firewall of this machine lets in what is answered to that, and not what is answered to a multicast.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import trio

from p2p.port_mapping.router import BadAnswer
from p2p.port_mapping.upnp.http import Url, url_at

SSDP: Final = ("239.255.255.250", 1900)
WANTED: Final = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
)
ASKED: Final = 'M-SEARCH * HTTP/1.1\r\nHOST: {host}:{port}\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: {wanted}\r\n\r\n'
LISTEN_S: Final = 1.5  # after each of the questions
TIMES: Final = 2
MORE_S: Final = 0.2  # for other answers after the first
MOST_BYTES: Final = 2 * 1024  # of an answer
MOST_ANSWERS: Final = 512
MOST_PLACES: Final = 4
_LOCATION: Final = re.compile(rb"^location:[ \t]*([!-~]{1,512})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
ROUTES: Final = Path("/proc/self/net/route")  # /proc/net is hidden from services by ProcSubset=pid
UP_BY_GATEWAY: Final = 0x3  # RTF_UP, RTF_GATEWAY


@dataclass(frozen=True, slots=True)
class Lan:
    """Where to search: from which addresses of this machine, at which places, and who may answer.

    `gateways`: None where the system does not tell which they are.
    """

    hosts: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    gateways: frozenset[str] | None

    def may_answer(self, host: str) -> bool:
        """Whether a router can have that address."""
        if self.gateways is not None:
            return host in self.gateways
        ip = IPv4Address(host)
        return ip.is_private and not (ip.is_loopback or ip.is_unspecified)


def local_network(hosts: Iterable[str]) -> Lan:
    """The one of this machine, with these addresses of it."""
    gateways = default_gateways()
    places = (SSDP, *((host, SSDP[1]) for host in sorted(gateways or ())))
    return Lan(tuple(hosts), places, gateways)


def default_gateways(routes: Path = ROUTES) -> frozenset[str] | None:
    """Those of the routing table for IPv4; None if there is none, or no such table on this system."""
    try:
        rows = [line.split() for line in routes.read_text("ascii").splitlines()[1:]]
        found = frozenset(
            str(IPv4Address(int(row[2], 16).to_bytes(4, sys.byteorder)))
            for row in rows
            if int(row[1], 16) == int(row[7], 16) == 0 and int(row[3], 16) & UP_BY_GATEWAY == UP_BY_GATEWAY
        )
    except (OSError, ValueError, IndexError):
        return None
    return found or None


async def search(lan: Lan) -> tuple[list[Url], list[str]]:
    """Where routers say that their description is, and who else answered. Takes up to 3 s."""
    found: dict[Url, None] = {}
    others: dict[str, None] = {}
    async with trio.open_nursery() as nursery:

        async def ask(host: str) -> None:
            if await _ask(host, lan, found, others):
                nursery.cancel_scope.cancel()

        for host in lan.hosts:
            nursery.start_soon(ask, host)
    return list(found)[:MOST_PLACES], list(others)[:MOST_PLACES]


async def _ask(host: str, lan: Lan, found: dict[Url, None], others: dict[str, None]) -> bool:
    """Ask from one address of this machine; whether a router answered."""
    with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
            asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            await asker.bind((host, 0))
            for _ in range(TIMES):
                await _send(asker, lan.places)
                await _listen(asker, lan, found, others)
                if found:
                    return True
        except OSError:  # that address, or the network, is gone
            pass
    return False


async def _listen(asker: trio.socket.SocketType, lan: Lan, found: dict[Url, None], others: dict[str, None]) -> None:
    with trio.move_on_after(LISTEN_S) as patience:
        for _ in range(MOST_ANSWERS):
            data, (who, *_) = await asker.recvfrom(MOST_BYTES)
            if _take(data, who, lan, found, others):
                patience.deadline = min(patience.deadline, trio.current_time() + MORE_S)


async def _send(asker: trio.socket.SocketType, places: Iterable[tuple[str, int]]) -> None:
    for place in places:
        for wanted in WANTED:
            text = ASKED.format(host=SSDP[0], port=SSDP[1], wanted=wanted)
            try:
                await asker.sendto(text.encode(), place)
            except OSError:  # no route to it
                continue


def _take(data: bytes, who: str, lan: Lan, found: dict[Url, None], others: dict[str, None]) -> bool:
    location = _LOCATION.search(data)
    if not data.startswith(b"HTTP/1.") or location is None:
        return False
    if not lan.may_answer(who):
        others[who] = None
        return False
    try:
        found[url_at(who, location[1].decode("ascii"))] = None
    except BadAnswer:
        others[who] = None
        return False
    return True
