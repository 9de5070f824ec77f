"""The datagrams of NAT-PMP (RFC 6886 section 3) and PCP (RFC 6887 sections 7 and 11): fixed sizes, no text."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from p2p.port_mapping.router import BadAnswer

PORT: Final = 5351
MOST_BYTES: Final = 1_100  # of an answer: what PCP allows
NONCE_BYTES: Final = 12
ANSWER: Final = 0x80
TCP_BY_PMP: Final = 2  # the opcode
MAP: Final = 1
TCP: Final = 6
OTHER_VERSION: Final = 1  # the result of both that the version is not spoken


@dataclass(frozen=True, slots=True)
class Said:
    """What a router answered. `epoch_s`: since when it knows what is mapped. A mapping has ports and seconds."""

    result: int
    epoch_s: int
    address: str = ""
    port: int = 0
    external: int = 0
    lease_s: int = 0


def pmp_address_request() -> bytes:
    """Asks for the external address."""
    return b"\0\0"


def pmp_map_request(port: int, external: int, lease_s: int) -> bytes:
    """Maps a TCP port, or with a lease of 0 ends that."""
    return struct.pack("!BBHHHI", 0, TCP_BY_PMP, 0, port, external, lease_s)


def pmp_answer(data: bytes, opcode: int) -> Said:
    """The answer to a request with that opcode. Raises BadAnswer."""
    if len(data) < 4:
        raise BadAnswer("an answer is too short")
    version, operation, result = struct.unpack_from("!BBH", data)
    if result == OTHER_VERSION or (version != 0 and data[3] == OTHER_VERSION):
        return Said(OTHER_VERSION, 0)
    if version != 0 or operation != ANSWER | opcode or len(data) < 8:
        raise BadAnswer("an answer is of something else")
    (epoch_s,) = struct.unpack_from("!I", data, 4)
    if result:
        return Said(result, epoch_s)
    if opcode == 0 and len(data) == 12:
        return Said(0, epoch_s, address=_told(IPv4Address(data[8:12])))
    if opcode == TCP_BY_PMP and len(data) == 16:
        port, external, lease_s = struct.unpack_from("!HHI", data, 8)
        return Said(0, epoch_s, port=port, external=external, lease_s=lease_s)
    raise BadAnswer("an answer has another size")


def pcp_request(own_host: str, lease_s: int = 0, mapping: tuple[bytes, int, int] | None = None) -> bytes:
    """Maps a TCP port, or with a lease of 0 ends that; without `mapping` (nonce, port, external) asks who answers."""
    opcode = 0 if mapping is None else MAP
    head = struct.pack("!BBHI", 2, opcode, 0, lease_s) + _mapped(own_host)
    if mapping is None:
        return head
    nonce, port, external = mapping
    return head + nonce + struct.pack("!B3xHH", TCP, port, external) + _mapped("0.0.0.0")  # noqa: S104 - any


def pcp_answer(data: bytes, mapping: tuple[bytes, int] | None = None) -> Said:
    """The answer to a request with that nonce and port. Raises BadAnswer."""
    opcode = 0 if mapping is None else MAP
    if len(data) < 24 or data[0] != 2 or data[1] != ANSWER | opcode:
        raise BadAnswer("an answer is of something else")
    result, lease_s, epoch_s = struct.unpack_from("!BII", data, 3)
    if result or mapping is None:
        return Said(result, epoch_s)
    if len(data) < 60:
        raise BadAnswer("an answer is too short")
    nonce, (kind, port, external) = data[24:36], struct.unpack_from("!B3xHH", data, 36)
    if (nonce, kind, port) != (mapping[0], TCP, mapping[1]):
        raise BadAnswer("an answer is of another mapping")
    address = IPv6Address(data[44:60]).ipv4_mapped
    return Said(0, epoch_s, _told(address) if address else "", port, external, lease_s)


def _mapped(host: str) -> bytes:
    return bytes(10) + b"\xff\xff" + IPv4Address(host).packed


def _told(address: IPv4Address) -> str:
    return "" if address.is_unspecified else str(address)
