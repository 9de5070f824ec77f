"""Dials every address that this network knows: looks names up, or leaves that and everything else to a proxy."""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import trio
from libp2p.abc import IRawConnection
from libp2p.custom_types import THandler
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.transport.exceptions import OpenConnectionError

from p2p.addresses import Multiaddr, by_turns, is_relayed, without_peer
from p2p.compat.tcp import BufferedTcpStream, GuardedTcpListener, TcpTransport
from p2p.errors import AddressError
from p2p.places import Place, Way, place_of
from p2p.ways.socks import ProxyDown, Socks, TargetRefused

STAGGER_S = 0.2  # head start of each address of a name before the next is tried too
TRIED = 8
LOOK_UP_S, LOOK_UPS = 10.0, 8  # a name, and at once: one that nobody answers for holds a thread
MOST_REFUSED = 64  # the latest targets of which it is remembered what went wrong there
FAMILIES = {"dns4": socket.AF_INET, "dns6": socket.AF_INET6}


async def loaded() -> Any:
    """The module for WebSockets. Most nodes never need it, or the libraries that it loads."""
    return await trio.to_thread.run_sync(import_module, "p2p.ways.websocket")


class WayListener(GuardedTcpListener):
    """Takes `/ws` behind the port too; the upgrade is part of the handshake that the door paces."""

    _websocket: Any = None

    async def listen(self, maddr: Multiaddr) -> None:
        """As its parent's."""
        if place_of(maddr, listening=True).way is Way.WS:
            self._websocket = await loaded()
        await super().listen(maddr)

    def dressed(self, stream: BufferedTcpStream) -> ReadWriteCloser:
        """As a WebSocket, where that is spoken."""
        if self._websocket is None:
            return stream
        served: ReadWriteCloser = self._websocket.of_client(stream)
        return served

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """As its parent's, with what is spoken."""
        bound = super().get_addrs()
        return bound if self._websocket is None else tuple(Multiaddr(f"{addr}/ws") for addr in bound)


class NotDressed(OpenConnectionError):
    """Somebody answers, and not as TLS or WebSocket needs it."""


class NameUnknown(OpenConnectionError):
    """No address was found for a name."""


class Dialler(TcpTransport):
    """Connects from this host."""

    def __init__(self, may_dial: Callable[[Multiaddr], bool]) -> None:
        super().__init__(may_dial)
        self._looking_up = trio.CapacityLimiter(LOOK_UPS)
        self._refused: OrderedDict[Place, str] = OrderedDict()  # what went wrong beyond that nobody answered

    def why_not(self, maddr: Multiaddr) -> str | None:
        """As `found_wrong`."""
        return self.found_wrong(maddr)

    def found_wrong(self, maddr: Multiaddr) -> str | None:
        """As its parent's."""
        return self._refused.get(place_of(without_peer(maddr)))

    def can_dial(self, maddr: Multiaddr) -> bool:
        """Everything but addresses through a relay; what may be dialled is decided before."""
        return not is_relayed(maddr)

    def protocols(self) -> list[str]:
        """The protocol names of which an address must hold one."""
        return ["tcp", "onion3"]

    async def dial(self, maddr: Multiaddr) -> IRawConnection:
        """Connect. Raises OpenConnectionError."""
        addr = without_peer(maddr)
        try:
            place = place_of(addr)
        except AddressError as error:
            raise OpenConnectionError(f"{addr} cannot be dialled: {error}") from error
        if not self._may_dial(addr):
            raise OpenConnectionError(f"{addr} is not an address that may be dialled")
        self._refused.pop(place, None)
        try:
            return RawConnection(await self._dressed(await self._opened(place), place), True, addresses=[addr])
        except (NameUnknown, NotDressed, TargetRefused) as error:
            self._refused[place] = str(error)
            if len(self._refused) > MOST_REFUSED:
                self._refused.popitem(last=False)
            raise

    async def _dressed(self, stream: BufferedTcpStream, place: Place) -> ReadWriteCloser:
        if place.way is Way.TCP:
            return stream
        websocket = await loaded()
        try:
            dressed: ReadWriteCloser = await websocket.to_server(stream, place)
        except BaseException as error:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream.stream)
            if isinstance(error, OpenConnectionError):
                raise NotDressed(str(error)) from error
            raise
        return dressed

    def create_listener(self, handler_function: THandler) -> GuardedTcpListener:  # type: ignore[override] # as its parent's
        """A listener for TCP or WebSocket, as the address says."""
        return WayListener(handler_function, self.opened)

    async def _opened(self, place: Place) -> BufferedTcpStream:
        if not place.is_name:
            return BufferedTcpStream(await self.connect(Multiaddr(f"/{place.kind}/{place.host}/tcp/{place.port}")))
        return BufferedTcpStream(await self._first_of(await self._looked_up(place)))

    async def _looked_up(self, place: Place) -> list[Multiaddr]:
        """What the name stands for on this machine, its file of hosts included; both families by turns."""
        family, found = FAMILIES.get(place.kind, socket.AF_UNSPEC), []
        with trio.move_on_after(LOOK_UP_S), suppress(OSError, UnicodeError):
            found = await trio.to_thread.run_sync(
                partial(socket.getaddrinfo, place.host, place.port, family, socket.SOCK_STREAM),
                abandon_on_cancel=True,  # type: ignore[call-arg] # trio-stubs are of an older trio
                limiter=self._looking_up,
            )
        hosts = [(kind, str(address[0])) for kind, _, _, _, address in found]
        hosts = [(kind, host) for kind, host in hosts if "%" not in host][:TRIED]  # a scope, which no multiaddr has
        if not hosts:
            raise NameUnknown(
                f"no address was found for {place.host}: correct the name, or look at the name server of this machine"
            )
        named = [f"/{'ip6' if kind == socket.AF_INET6 else 'ip4'}/{host}/tcp/{place.port}" for kind, host in hosts]
        return by_turns([Multiaddr(text) for text in named])

    async def _first_of(self, addrs: Sequence[Multiaddr]) -> trio.SocketStream:
        """The first that connects of several addresses, each of which gets a short head start."""
        won: list[trio.SocketStream] = []
        errors: list[OpenConnectionError] = []

        async def attempt(addr: Multiaddr, failed: trio.Event) -> None:
            try:
                stream = await self.connect(addr)
            except OpenConnectionError as error:
                errors.append(error)
                failed.set()
                return
            if won:
                await trio.aclose_forcefully(stream)
                return
            won.append(stream)
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for addr in addrs:
                failed = trio.Event()
                nursery.start_soon(attempt, addr, failed)
                with trio.move_on_after(STAGGER_S):
                    await failed.wait()
        if not won:
            raise errors[0]
        return won[0]


class ProxiedStream(BufferedTcpStream):
    """A connection whose other end is the target, not the proxy."""

    def __init__(self, stream: trio.SocketStream, remote: tuple[str, int] | None) -> None:
        """`remote`: the IP address and port of the target; None for a name, which only the proxy has looked up."""
        super().__init__(stream)
        self._remote = remote

    def get_remote_address(self) -> tuple[str, int] | None:
        """As given; never the address of the proxy."""
        return self._remote


class ProxiedDialler(Dialler):
    """Connects through the proxy alone: nothing else leaves this host, whoever asks for it."""

    def __init__(
        self, may_dial: Callable[[Multiaddr], bool], socks: Socks, on_proxy: Callable[[str | None], None]
    ) -> None:
        """`on_proxy` is told why the proxy does not work, and None when it does, each time that changes."""
        super().__init__(may_dial)
        self._socks = socks
        self._on_proxy = on_proxy
        self._fault: str | None = None

    def why_not(self, maddr: Multiaddr) -> str | None:
        """What the proxy said when that address was dialled last, or why it does not work."""
        return self._fault or super().found_wrong(maddr)

    def found_wrong(self, maddr: Multiaddr) -> str | None:
        """Nothing: what a proxy reports may be its own trouble, or pass."""
        return None

    async def _opened(self, place: Place) -> BufferedTcpStream:
        try:
            stream = await self._socks.connect(place)
        except ProxyDown as error:
            self._note(str(error))
            raise
        except TargetRefused:
            self._note(None)
            raise
        self._note(None)
        self.opened.add(stream.socket)
        return ProxiedStream(stream, None if place.is_name or place.is_onion else (place.host, place.port))

    def _note(self, fault: str | None) -> None:
        if fault != self._fault:
            self._fault = fault
            self._on_proxy(fault)

    async def connect(self, maddr: Multiaddr) -> trio.SocketStream:
        """Never: it would not go through the proxy."""
        raise OpenConnectionError("everything is dialled through the proxy")

    async def dial_from(self, maddr: Multiaddr, port: int) -> RawConnection:
        """Never, as above."""
        raise OpenConnectionError("everything is dialled through the proxy")
