"""TCP for libp2p: fewer system calls, true remote addresses, and a port that belongs to one process.

The library's listener sets SO_REUSEPORT, so a second daemon on the same port goes unnoticed and takes half of the
connections; it returns None as the remote address of an IPv6 peer; it reads two bytes, then the rest, per message; and
each write waits for two turns of all tasks, whether or not the kernel takes it at once. What a peer does not read waits
here, where it is counted, and not by megabytes in the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import weakref
from collections.abc import Callable, Sequence

import trio
from libp2p.abc import IListener, IRawConnection
from libp2p.custom_types import THandler
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.transport.exceptions import OpenConnectionError
from libp2p.transport.tcp.tcp import TCP
from libp2p.utils.multiaddr_utils import extract_ip_from_multiaddr, multiaddr_from_socket

from p2p.addresses import Multiaddr, is_relayed
from p2p.errors import NetworkError
from p2p.rates import EarlyReads

READ_BYTES = 64 * 1024
BACKLOG = 128
UNSENT_BYTES = (
    128 * 1024
)  # that the kernel takes of what the peer has no room for: 4 MiB otherwise, for each connection


class OpenSockets:
    """The sockets of one life. If trio itself failed, no task closes them, and trio keeps its tasks for ever."""

    def __init__(self) -> None:
        self._sockets = weakref.WeakSet[trio.socket.SocketType]()

    def add(self, sock: trio.socket.SocketType) -> None:
        """Remember one that was opened."""
        self._sockets.add(sock)

    def close_gone(self) -> int:
        """Close connections from addresses that this host no longer has, of which no end would come; how many."""
        kept: dict[str, bool] = {}
        gone = 0
        for sock in list(self._sockets):
            host = _connected_from(sock)
            if host is not None and not kept.setdefault(host, is_own(host)):
                sock.close()
                gone += 1
        return gone

    def close_all(self) -> None:
        """Close what is still open; only after trio has ended, because trio's own `close` works only inside it."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                fd = sock.detach()
                if fd >= 0:
                    os.close(fd)


def _connected_from(sock: trio.socket.SocketType) -> str | None:
    """The local address of a connection; None for a listener, and for one that has ended."""
    try:
        sock.getpeername()
        return str(sock.getsockname()[0])
    except OSError:
        return None


def is_own(host: str) -> bool:
    """Whether this host has an address. Link-local ones, which belong to one of its networks, count as its own."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if ipaddress.ip_address(host.partition("%")[0]).is_link_local:
        return True
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


class BufferedTcpStream(TrioTCPStream):
    """Reads all that the kernel has in one call and serves small reads of the layers above from memory."""

    def __init__(self, stream: trio.SocketStream) -> None:
        super().__init__(stream)
        self._buffer = bytearray()
        self.early = EarlyReads()
        with contextlib.suppress(AttributeError, OSError):  # not every system can
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    async def read(self, n: int | None = None) -> bytes:
        """Up to `n` bytes, b"" at the end of the stream or after a local close."""
        if n == 0:
            return b""
        if not self._buffer:
            self._buffer += await self._receive()
        end = len(self._buffer) if n is None else n
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        return data

    async def write(self, data: bytes) -> None:
        """All of it: without waiting as far as the kernel takes it."""
        sent = 0
        if not self.write_lock.locked():  # no other write is half done
            with contextlib.suppress(OSError):  # full, or broken: the library waits, or says so
                sent = os.write(self.stream.socket.fileno(), data)
        if sent < len(data):
            await super().write(data[sent:])

    def known(self) -> None:
        """It is known who is at the other end, and charged from now on."""
        self.early.over = True

    async def _receive(self) -> bytes | bytearray:
        await self.early.turn()
        try:
            return await self.stream.receive_some(READ_BYTES)
        except trio.BrokenResourceError as error:
            raise ConnectionClosedError("the peer reset the TCP connection", transport="tcp") from error
        except trio.ClosedResourceError:
            return b""

    def get_remote_address(self) -> tuple[str, int] | None:
        """Host and port of the peer; also for IPv6, where the socket returns four values, and a zone with the host."""
        if self._cached_remote_address is None:
            try:
                name = self.stream.socket.getpeername()
            except OSError:
                return None
            self._cached_remote_address = (str(name[0]).partition("%")[0], int(name[1]))
        return self._cached_remote_address


class GuardedTcpListener(IListener):
    """Listens without SO_REUSEPORT and says which address is taken."""

    background_nursery: trio.Nursery  # set by the swarm before `listen`

    def __init__(self, on_connection: THandler, opened: OpenSockets) -> None:
        self._on_connection = on_connection
        self._opened = opened
        self._sockets: Sequence[trio.SocketListener] = ()
        self._scope = trio.CancelScope()

    async def listen(self, maddr: Multiaddr) -> None:
        """Bind and accept in the swarm's nursery. Raises NetworkError `port_taken` or `bad_address`."""
        host = extract_ip_from_multiaddr(maddr)
        port = int(str(maddr.value_for_protocol("tcp")))
        try:
            self._sockets = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
        except OSError as error:
            raise _cannot_listen(maddr, error) from error
        for listener in self._sockets:
            # Only after listening, so that no other daemon can have the port: connections out of it are possible now.
            listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._opened.add(listener.socket)
        self.background_nursery.start_soon(self._serve)

    async def _serve(self) -> None:
        with self._scope:
            await trio.serve_listeners(self._accept, self._sockets)

    async def _accept(self, stream: trio.SocketStream) -> None:
        self._opened.add(stream.socket)
        await self._on_connection(self.dressed(BufferedTcpStream(stream)))

    def dressed(self, stream: BufferedTcpStream) -> ReadWriteCloser:
        """What is spoken on the connection, below Noise: nothing here."""
        return stream

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """The bound addresses, with the real port."""
        return tuple(multiaddr_from_socket(sock.socket) for sock in self._sockets)

    async def close(self) -> None:
        """Stop accepting and free the port. May be called twice."""
        self._scope.cancel()
        for sock in self._sockets:
            await sock.aclose()
        self._sockets = ()


def _cannot_listen(maddr: Multiaddr, error: OSError) -> NetworkError:
    if error.errno == errno.EADDRINUSE:
        return NetworkError(
            "port_taken", f"{maddr} is in use by another program: stop it or choose another port in p2p.listen"
        )
    return NetworkError("bad_address", f"cannot listen on {maddr} ({error.strerror}): correct p2p.listen")


class TcpTransport(TCP):
    """Dials with `BufferedTcpStream`, and only addresses that `may_dial` allows, also after name resolution."""

    def __init__(self, may_dial: Callable[[Multiaddr], bool]) -> None:
        super().__init__()
        self._may_dial = may_dial
        self.opened = OpenSockets()

    def can_dial(self, maddr: Multiaddr) -> bool:
        """As the library's, which takes an address through a relay for the relay's own."""
        return not is_relayed(maddr) and super().can_dial(maddr)

    async def _dial_resolved(self, maddr: Multiaddr, source: tuple[str, int] | None = None) -> IRawConnection:
        return RawConnection(BufferedTcpStream(await self.connect(maddr)), True)

    def why_not(self, maddr: Multiaddr) -> str | None:
        """Why that address could not be dialled lately, where somebody said so; None: nothing is known."""
        return None

    def found_wrong(self, maddr: Multiaddr) -> str | None:
        """What is wrong with the name, the certificate or the WebSocket there, as the last dial found it."""
        return None

    async def connect(self, maddr: Multiaddr) -> trio.SocketStream:
        """A TCP connection to the IP address and port of a multiaddr. Raises OpenConnectionError."""
        host, port = extract_ip_from_multiaddr(maddr), maddr.value_for_protocol("tcp")
        if host is None or port is None or not self._may_dial(maddr):
            raise OpenConnectionError(f"{maddr} is not an address that may be dialled")
        try:
            stream = await trio.open_tcp_stream(host, int(port))
        except OSError as error:
            raise OpenConnectionError(f"cannot reach {maddr}") from error
        self.opened.add(stream.socket)
        return stream

    async def dial_from(self, maddr: Multiaddr, port: int) -> RawConnection:
        """Connect to an IP address from the port on which this node listens. Raises OpenConnectionError."""
        host, remote_port = extract_ip_from_multiaddr(maddr), maddr.value_for_protocol("tcp")
        if host is None or remote_port is None or not self._may_dial(maddr):
            raise OpenConnectionError(f"{maddr} is not an address that may be dialled")
        sock = trio.socket.socket(trio.socket.AF_INET6 if ":" in host else trio.socket.AF_INET)
        try:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                sock.setsockopt(socket.SOL_SOCKET, option, 1)
            if ":" in host:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as the listener: IPv4 has its own
            await sock.bind(("::" if ":" in host else "0.0.0.0", port))  # noqa: S104 - a source, not a listener
            await sock.connect((host, int(remote_port)))
        except BaseException as error:
            sock.close()
            if isinstance(error, OSError):
                raise OpenConnectionError(f"cannot reach {maddr} from port {port}") from error
            raise
        self.opened.add(sock)
        return RawConnection(BufferedTcpStream(trio.SocketStream(sock)), True)

    def create_listener(self, handler_function: THandler) -> GuardedTcpListener:  # type: ignore[override] # IListener is what the callers need; the parent names its own class
        """A listener of this module."""
        return GuardedTcpListener(handler_function, self.opened)
