"""Connections through a SOCKS5 proxy (RFC 1928, login of RFC 1929), which looks names up itself: this host asks nobody.

proxy answers, target reached     the stream, from the first byte of the target on
proxy answers, target refused     TargetRefused, with what the proxy says
nobody answers as a proxy does    ProxyDown
"""

from __future__ import annotations

from ipaddress import ip_address

import trio
from libp2p.transport.exceptions import OpenConnectionError

from p2p.places import Place
from p2p.settings import Proxy
from p2p.ways.login import LONGEST, read_login

VERSION, CONNECT = 5, 1
NO_LOGIN, LOGIN, NO_METHOD = 0x00, 0x02, 0xFF
IP4, NAME, IP6 = 1, 3, 4
BOUND_BYTES = {IP4: 4, IP6: 16}  # of the address in an answer, which is of no use here
# RFC 1928, section 6; from 0xF0 on what Tor adds for onion services (proposal 304).
ANSWERS = {
    1: "it failed",
    2: "its rules do not allow it",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "it took too long",
    7: "it does not connect at all",
    8: "it does not know that kind of address",
    0xF0: "there is no such onion service",
    0xF1: "the descriptor of the onion service is invalid",
    0xF2: "the onion service cannot be introduced to",
    0xF3: "the onion service cannot be met",
    0xF4: "the onion service wants authentication",
    0xF5: "the onion service refuses that authentication",
    0xF6: "that is no onion address",
    0xF7: "the onion service did not answer in time",
}


class ProxyDown(OpenConnectionError):
    """Nothing can be dialled: the proxy does not answer as one."""


class TargetRefused(OpenConnectionError):
    """The proxy did not connect to the target."""


class Socks:
    """One proxy."""

    def __init__(self, proxy: Proxy) -> None:
        """Raises NetworkError `bad_proxy_login`."""
        self._proxy = proxy
        self._login = read_login(proxy)

    async def connect(self, place: Place) -> trio.SocketStream:
        """Raises ProxyDown, TargetRefused."""
        try:
            stream = await trio.open_tcp_stream(self._proxy.host, self._proxy.port)
        except OSError as error:
            raise ProxyDown(f"nothing answers at {self._proxy}") from error
        try:
            await self._ask(stream, place)
        except BaseException as error:
            await trio.aclose_forcefully(stream)
            if isinstance(error, trio.BrokenResourceError | trio.ClosedResourceError):
                raise ProxyDown(f"{self._proxy} closed the connection") from error
            raise
        return stream

    async def _ask(self, stream: trio.SocketStream, place: Place) -> None:
        methods = bytes([NO_LOGIN] if self._login is None else [LOGIN])
        await stream.send_all(bytes([VERSION, len(methods)]) + methods)
        version, method = await self._read(stream, 2)
        if version != VERSION:
            raise ProxyDown(f"what answers at {self._proxy} is no SOCKS5 proxy")
        if method == LOGIN and self._login is not None:
            await self._log_in(stream, *self._login)
        elif method != NO_LOGIN:
            raise ProxyDown(f"{self._proxy} does not accept that login: see p2p.socks5_login")
        await stream.send_all(bytes([VERSION, CONNECT, 0]) + _target(place) + place.port.to_bytes(2, "big"))
        _, answer, _, kind = await self._read(stream, 4)
        if answer:
            raise TargetRefused(f"{self._proxy} did not connect: {ANSWERS.get(answer, f'answer {answer}')}")
        size = BOUND_BYTES.get(kind)
        await self._read(stream, ((await self._read(stream, 1))[0] if size is None else size) + 2)

    async def _log_in(self, stream: trio.SocketStream, user: bytes, password: bytes) -> None:
        await stream.send_all(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        if (await self._read(stream, 2))[1]:
            raise ProxyDown(f"{self._proxy} refused the login: see p2p.socks5_login")

    async def _read(self, stream: trio.SocketStream, size: int) -> bytes:
        """So many bytes and none behind them, which belong to the target."""
        data = b""
        while len(data) < size:
            more = await stream.receive_some(size - len(data))
            if not more:
                raise ProxyDown(f"{self._proxy} ended the connection in the middle of an answer")
            data += more
        return data


def _target(place: Place) -> bytes:
    if place.is_name or place.is_onion:
        name = place.host.encode("ascii", "replace")
        if len(name) > LONGEST:
            raise TargetRefused("a host name has at most 255 characters")
        return bytes([NAME, len(name)]) + name
    ip = ip_address(place.host)
    return bytes([IP4 if ip.version == 4 else IP6]) + ip.packed
