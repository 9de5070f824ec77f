"""A router on loopback: answers the search of UPnP, describes itself, maps ports by SOAP, and really forwards them."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

LOOPBACK = "127.0.0.1"
IP1, IP2 = (f"urn:schemas-upnp-org:service:WANIPConnection:{version}" for version in (1, 2))
PPP1 = "urn:schemas-upnp-org:service:WANPPPConnection:1"
DESCRIPTION = """<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>{base}
<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceList><device><serviceList>{services}</serviceList></device></deviceList></device></deviceList></device></root>"""
SERVICE = "<service><serviceType>{kind}</serviceType><controlURL>{control}</controlURL></service>"
SAID = '<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body>{body}</s:Body></s:Envelope>'
FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError>"
    "<errorCode>{code}</errorCode><errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
)


class Mapped(NamedTuple):
    """Where an external port leads, and for how long."""

    host: str
    port: int
    lease_s: int


def http(body: bytes | str, status: str = "200 OK", headers: str = "") -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(raw)}\r\n{headers}\r\n".encode() + raw


@dataclass
class Igd:
    """`raw`: what it answers to the next requests of an action, or of `description`, instead of what it should."""

    service: str = IP1
    external_host: str = LOOPBACK
    location: str | None = None
    base: str = ""
    control: str = "/control"
    refuses: dict[str, list[int]] = field(default_factory=dict)  # error codes, one for each request of an action
    raw: dict[str, bytes] = field(default_factory=dict)
    silent: bool = False
    forwards: bool = True  # else it only says that it does
    mappings: dict[int, Mapped] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    group: str | None = None
    pmp: Callable[[bytes], bytes] | None = None  # answers of NAT-PMP at the same port
    _forwards: dict[int, asyncio.Server] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def place(self) -> tuple[str, int]:
        """Where it is asked."""
        host, port = self._udp.get_extra_info("sockname")
        return self.group or host, port

    async def __aenter__(self) -> Self:
        self._http = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port: int = self._http.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((self.group or LOOPBACK, 0))
        if self.group:
            joined = struct.pack("4s4s", socket.inet_aton(self.group), socket.inet_aton(LOOPBACK))
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Ssdp(self), sock=udp)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        await self.reboot()
        self._http.close()

    async def reboot(self) -> None:
        """Forget every mapping."""
        self.mappings.clear()
        for server in self._forwards.values():
            server.close()
        self._forwards.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = (await reader.readexactly(int(length[1]))).decode() if length else ""
            answer = await self._answer(head, body)
            if answer is None:
                await reader.read()  # until the other side gives up
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _answer(self, head: str, body: str) -> bytes | None:
        action = head.partition('SOAPAction: "')[2].partition('"')[0].rpartition("#")[2] or "description"
        self.asked.append(action)
        if self.silent:
            return None
        if action in self.raw:
            return self.raw[action]
        if action == "description":
            service = SERVICE.format(kind=self.service, control=self.control)
            base = f"<URLBase>{self.base}</URLBase>" if self.base else ""
            return http(DESCRIPTION.format(base=base, services=service))
        values = dict(re.findall(r"<(New\w+)>([^<]*)</", body))
        codes = self.refuses.get(action, [])
        answer = codes.pop(0) if codes else await getattr(self, f"_on_{action}")(values)
        if isinstance(answer, int):
            return http(SAID.format(body=FAULT.format(code=answer)), "500 Internal Server Error")
        told = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
        return http(SAID.format(body=f'<u:{action}Response xmlns:u="{self.service}">{told}</u:{action}Response>'))

    async def _on_GetExternalIPAddress(self, _: dict[str, str]) -> dict[str, Any]:
        return {"NewExternalIPAddress": self.external_host}

    async def _on_GetSpecificPortMappingEntry(self, values: dict[str, str]) -> dict[str, Any] | int:
        found = self.mappings.get(int(values["NewExternalPort"]))
        return 714 if found is None else {"NewInternalClient": found.host, "NewInternalPort": found.port}

    async def _on_AddPortMapping(self, values: dict[str, str]) -> dict[str, Any] | int:
        external, client = int(values["NewExternalPort"]), values["NewInternalClient"]
        made = Mapped(client, int(values["NewInternalPort"]), int(values["NewLeaseDuration"]))
        if self.forwards and external not in self._forwards:
            try:
                self._forwards[external] = await asyncio.start_server(self._forward(made), LOOPBACK, external)
            except OSError:
                return 718
        self.mappings[external] = made
        return {}

    async def _on_AddAnyPortMapping(self, values: dict[str, str]) -> dict[str, Any] | int:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            port = free.getsockname()[1]
        answer = await self._on_AddPortMapping({**values, "NewExternalPort": str(port)})
        return answer if isinstance(answer, int) else {"NewReservedPort": port}

    async def _on_DeletePortMapping(self, values: dict[str, str]) -> dict[str, Any] | int:
        external = int(values["NewExternalPort"])
        if external in self._forwards:
            self._forwards.pop(external).close()
        return {} if self.mappings.pop(external, None) else 714

    def _forward(self, to: Mapped) -> Any:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._tasks.add(task := asyncio.current_task())  # type: ignore[arg-type] # a server runs it in one
            with suppress(ConnectionError, asyncio.CancelledError):
                other_reader, other = await asyncio.open_connection(to.host, to.port)
                try:
                    await asyncio.gather(_pump(reader, other), _pump(other_reader, writer))
                finally:
                    other.close()
            writer.close()
            self._tasks.discard(task)

        return carry


class _Ssdp(asyncio.DatagramProtocol):
    def __init__(self, igd: Igd) -> None:
        self._igd = igd

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[0] < 32:
            if self._igd.pmp is not None:
                self._transport.sendto(self._igd.pmp(data), addr)
            return
        wanted = re.search(r"^ST: (.+?)\r$", data.decode(), re.MULTILINE)
        self._igd.searches.append(wanted[1] if wanted else "")
        location = self._igd.location or f"http://{LOOPBACK}:{self._igd.port}/description"
        if wanted and wanted[1].endswith("InternetGatewayDevice:1"):
            text = f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {wanted[1]}\r\nLOCATION: {location}\r\n\r\n"
            self._transport.sendto(text.encode(), addr)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
