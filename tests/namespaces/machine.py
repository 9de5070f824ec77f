"""What runs on a machine of the lab beside the daemons.

python -m tests.namespaces.machine proxy IP PORT [HOST:PORT=IP:PORT ...]    a SOCKS5 proxy that plays Tor
python -m tests.namespaces.machine packets                                  says what leaves, until its input ends
"""

from __future__ import annotations

import asyncio
import json
import select
import socket
import sys
from collections import Counter
from ipaddress import ip_address

from tests.p2p.ways.tor_world import FakeTor

EVERY_PROTOCOL, LEAVING = 0x0003, 4  # ETH_P_ALL, PACKET_OUTGOING (packet(7))
IP4, IP6, ARP = 0x0800, 0x86DD, 0x0806
PROTOCOLS = {6: "tcp", 17: "udp", 58: "icmp6"}


def leaving(frame: bytes, kind: int) -> tuple[str, str, int, int]:
    """(protocol, IP address it goes to, port it comes from, port it goes to) of an Ethernet frame."""
    packet = frame[14:]
    if kind == ARP:
        return "arp", "", 0, 0
    if kind == IP4:
        number, target, rest = packet[9], packet[16:20], packet[(packet[0] & 15) * 4 :]
    elif kind == IP6:
        number, target, rest = packet[6], packet[24:40], packet[40:]
        if number == 0:  # hop-by-hop options, before multicast reports
            number, rest = rest[0], rest[8:]
    else:
        return hex(kind), "", 0, 0
    ports = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
    return PROTOCOLS.get(number, str(number)), str(ip_address(target)), *ports


def packets() -> None:
    """Count what leaves this namespace on any interface, its own loopback too."""
    seen: Counter[tuple[str, str, str, int, int]] = Counter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL)) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([wire, sys.stdin], [], [])
            if wire in ready:
                frame, (interface, kind, direction, *_) = wire.recvfrom(65_536)
                if direction == LEAVING:
                    seen[interface, *leaving(frame, kind)] += 1
            elif sys.stdin in ready:
                break  # only when no packet waits
    print(json.dumps([[*flow, count] for flow, count in seen.items()]), flush=True)


async def proxy(host: str, port: str, *places: str) -> None:
    tor = FakeTor(host)
    for place in places:
        name, _, where = place.partition("=")
        target, target_port = where.rsplit(":", 1)
        known, known_port = name.rsplit(":", 1)
        tor.places[known, int(known_port)] = (target, int(target_port))
    await tor.start(int(port))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await tor.stop()
    print(json.dumps(sorted({asked.host for asked in tor.asked})), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "packets":
        packets()
    else:
        asyncio.run(proxy(*sys.argv[2:]))
