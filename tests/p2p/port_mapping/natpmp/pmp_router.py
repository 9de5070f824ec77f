"""A router on loopback that speaks NAT-PMP or PCP; it only says that it forwards."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Self

LOOPBACK = "127.0.0.1"


@dataclass
class PmpRouter:
    """`before`: datagrams that come before each answer. `result`: of requests for a mapping."""

    speaks: str = "nat-pmp"
    external_host: str = "11.2.3.4"
    epoch_s: int = 1_000
    taken: set[int] = field(default_factory=set)
    result: int = 0
    lease_s: int | None = None  # instead of the one that is asked for
    before: list[bytes] = field(default_factory=list)
    change: Callable[[bytes], bytes] = lambda answer: answer
    silent: bool = False
    mappings: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # external port: port, nonce
    asked: int = 0

    @property
    def place(self) -> tuple[str, int]:
        host, port = self._udp.get_extra_info("sockname")
        return host, port

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Served(self), local_addr=(LOOPBACK, 0))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()

    def restart(self) -> None:
        self.mappings.clear()
        self.epoch_s = 1

    def answer(self, data: bytes) -> bytes:
        if data[0] == 0:
            return self._pmp(data) if self.speaks == "nat-pmp" else b"\x00" + bytes([0x80 | data[1]]) + b"\0\1"
        return self._pcp(data)

    def _pmp(self, data: bytes) -> bytes:
        if data[1] == 0:
            return struct.pack("!BBHI", 0, 0x80, 0, self.epoch_s) + IPv4Address(self.external_host).packed
        _, opcode, _, port, external, lease_s = struct.unpack("!BBHHHI", data)
        if self.result:
            return struct.pack("!BBHI", 0, 0x80 | opcode, self.result, self.epoch_s) + data[4:8] + bytes(4)
        external, lease_s = self._map(port, external, lease_s, b"")
        return struct.pack("!BBHIHHI", 0, 0x80 | opcode, 0, self.epoch_s, port, external, lease_s)

    def _pcp(self, data: bytes) -> bytes:
        opcode, lease_s = data[1], struct.unpack_from("!I", data, 4)[0]
        head = struct.pack("!BBBBII12x", 2, 0x80 | opcode, 0, self.result if opcode else 0, lease_s, self.epoch_s)
        if opcode == 0:
            return head
        nonce, (port, external) = data[24:36], struct.unpack_from("!HH", data, 40)
        external, lease_s = self._map(port, external, lease_s, nonce)
        head = head[:4] + struct.pack("!I", lease_s) + head[8:]
        address = bytes(10) + b"\xff\xff" + IPv4Address(self.external_host).packed
        return head + data[24:40] + struct.pack("!HH", port, external) + address

    def _map(self, port: int, external: int, lease_s: int, nonce: bytes) -> tuple[int, int]:
        had = next((mapped for mapped, (to, _) in self.mappings.items() if to == port), None)
        if lease_s == 0:
            self.mappings = {mapped: to for mapped, to in self.mappings.items() if to[0] != port}
            return 0, 0
        given = had or next(number for number in range(external, 65_536) if number not in self.taken)
        self.mappings[given] = (port, nonce)
        return given, self.lease_s if self.lease_s is not None else lease_s


class _Served(asyncio.DatagramProtocol):
    def __init__(self, router: PmpRouter) -> None:
        self._router = router

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._router.asked += 1
        if not self._router.silent:
            for other in self._router.before:
                self._transport.sendto(other, addr)
            self._transport.sendto(self._router.change(self._router.answer(data)), addr)
