"""WebSockets (RFC 6455) as streams of bytes, by wsproto. Where a message begins means nothing to libp2p.

What this end does on a connection before and beside Noise is bounded:

    upgrade    8 KiB of headers, within the time and the turn that the door gives a handshake
    a frame    of any length: it is passed on as it arrives, never held whole
    frames     2,000 per second, 4,000 at once, of pings and empty ones a hundredth; a faster sender is read more slowly
                 before it is known who sends them a tenth of that, and few reads (EarlyReads)
    anything that is no binary message, and every fault, ends the connection
"""

from __future__ import annotations

import contextlib
import ssl
from functools import lru_cache

import trio
import trio.abc
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.transport.exceptions import OpenConnectionError
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
)
from wsproto.utilities import ProtocolError, RemoteProtocolError

from p2p.compat.tcp import BufferedTcpStream
from p2p.places import Place, Way
from p2p.rates import Budget, EarlyReads

READ_BYTES = 16 * 1024
HEAD_BYTES = 8 * 1024  # of an upgrade
FRAMES, FRAMES_AT_ONCE = 2_000, 4_000
EARLY_FRAMES, EARLY_AT_ONCE = 200, 400  # the same before it is known who sends them; an honest handshake has a dozen
EMPTY = 100  # one without content counts as so many: nobody needs it, and nobody is charged for it
TURN = 64  # frames that are parsed before others have their turn
CLOSE_S = 0.5


class NoWebSocket(ConnectionClosedError):
    """The other side does not speak the protocol."""

    def __init__(self, why: str) -> None:
        super().__init__(why, transport="ws")


class WebSocketStream(ReadWriteCloser):
    """The upgrade is made with the first read or write."""

    def __init__(
        self, stream: trio.abc.Stream, remote: tuple[str, int] | None, ws: WSConnection, asked: Request | None
    ) -> None:
        """`asked`: what a client asks for; None for a server."""
        self._stream = stream
        self._remote = remote
        self._ws = ws
        self._asked = asked
        self._buffer = bytearray()
        self._pace = Budget(EARLY_FRAMES, EARLY_AT_ONCE, trio.current_time())
        self.early = EarlyReads()
        self._reading, self._writing = trio.Lock(), trio.Lock()
        self._open = self._over = False
        self._frames = 0

    def known(self) -> None:
        """It is known who is at the other end, and charged from now on."""
        self.early.over = True
        self._pace = Budget(FRAMES, FRAMES_AT_ONCE, trio.current_time())

    def frames_taken(self) -> int:
        """How many frames were read since this was asked last."""
        frames, self._frames = self._frames, 0
        return frames

    async def read(self, n: int | None = None) -> bytes:
        """Up to `n` bytes, b"" at the end. Raises ConnectionClosedError."""
        if n == 0:
            return b""
        async with self._reading:
            await self._upgrade()
            while not self._buffer and not self._over:
                await self._more()
        end = len(self._buffer) if n is None else n
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        return data

    async def write(self, data: bytes) -> None:
        """All of it, as one message. Raises ConnectionClosedError."""
        if not self._open:
            async with self._reading:
                await self._upgrade()
        await self._say(BytesMessage(data=data))

    async def close(self) -> None:
        """End the connection; the other side is told if that does not take long."""
        try:
            if self._open and not self._over and not self._writing.locked():
                with trio.move_on_after(CLOSE_S), contextlib.suppress(ConnectionClosedError):
                    await self._say(CloseConnection(code=1000))
        finally:
            self._over = True
            await trio.aclose_forcefully(self._stream)

    def get_remote_address(self) -> tuple[str, int] | None:
        """Host and port at the other end of the TCP connection: those of a reverse proxy, if there is one."""
        return self._remote

    async def _upgrade(self) -> None:
        """The opening handshake, once. Raises NoWebSocket."""
        if self._open:
            return
        if self._asked is not None:
            await self._say(self._asked)
        left = HEAD_BYTES
        while not self._open:
            data = await self._receive(left)
            left -= len(data)
            if not data or left <= 0:
                raise NoWebSocket("the upgrade was not finished")
            await self._take_upgrade(data)

    async def _take_upgrade(self, data: bytes) -> None:
        try:
            self._ws.receive_data(data)
            for event in self._ws.events():
                if isinstance(event, Request):
                    await self._say(AcceptConnection())
                elif not isinstance(event, AcceptConnection):
                    raise NoWebSocket("the upgrade was refused")
                self._open = True
                break  # what is behind it comes with the next events
        except RemoteProtocolError as error:
            await self._refuse(error)
            raise NoWebSocket("that is no upgrade to WebSocket") from error
        except ValueError as error:  # of a header that cannot be decoded
            raise NoWebSocket("that is no upgrade to WebSocket") from error

    async def _refuse(self, error: RemoteProtocolError) -> None:
        """Say so as HTTP does: a person with a browser may have come."""
        hint = error.event_hint
        if isinstance(hint, RejectConnection):
            headers = [*hint.headers, (b"content-length", b"0"), (b"connection", b"close")]
            with contextlib.suppress(ConnectionClosedError, ProtocolError):
                await self._say(RejectConnection(status_code=hint.status_code, headers=headers, has_body=True))
                await self._say(RejectData(data=b"", body_finished=True))

    async def _more(self) -> None:
        """Some frames: those that are there already, else what arrives."""
        if not await self._parsed():
            data = await self._receive(READ_BYTES)
            if not data:
                self._over = True
                return
            try:
                self._ws.receive_data(data)
            except ProtocolError as error:
                raise NoWebSocket("the connection was closed") from error

    async def _parsed(self) -> int:
        """Take a few frames out of what has arrived, and pay for them; how many there were."""
        count = cost = 0
        try:
            for event in self._ws.events():
                count += 1
                cost += 1 if isinstance(event, BytesMessage) and event.data else EMPTY
                await self._take(event)
                if count == TURN or self._over:
                    break
        except (ProtocolError, ValueError) as error:
            raise NoWebSocket("a frame is malformed") from error
        self._frames += count
        if count:
            await trio.sleep(self._pace.owe(cost, trio.current_time()))
        return count

    async def _take(self, event: Event) -> None:
        if isinstance(event, BytesMessage):
            self._buffer += event.data
        elif isinstance(event, Ping):
            await self._say(event.response())
        elif isinstance(event, CloseConnection):
            self._over = True
            with contextlib.suppress(ConnectionClosedError, ProtocolError):
                await self._say(event.response())
        elif not isinstance(event, Pong):
            raise NoWebSocket("only binary messages are taken")

    async def _say(self, event: Event) -> None:
        async with self._writing:
            try:
                await self._stream.send_all(self._ws.send(event))
            except (trio.BrokenResourceError, trio.ClosedResourceError, ProtocolError) as error:
                raise ConnectionClosedError("the connection was closed", transport="ws") from error

    async def _receive(self, most: int) -> bytes:
        await self.early.turn()
        try:
            return bytes(await self._stream.receive_some(most))
        except trio.BrokenResourceError as error:
            raise ConnectionClosedError("the peer reset the connection", transport="ws") from error
        except trio.ClosedResourceError:
            return b""


def of_client(stream: BufferedTcpStream) -> WebSocketStream:
    """A connection that somebody opened to this node."""
    server = WSConnection(ConnectionType.SERVER)
    return WebSocketStream(stream.stream, stream.get_remote_address(), server, None)


async def to_server(stream: BufferedTcpStream, place: Place) -> WebSocketStream:
    """Upgrade a connection that this node has opened, under TLS for `/wss`. Raises OpenConnectionError."""
    host = f"[{place.server}]" if ":" in place.server else place.server
    asked = Request(host=host if place.port in (80, 443) else f"{host}:{place.port}", target="/")
    secured = await _secured(stream.stream, place) if place.way is Way.WSS else stream.stream
    made = WebSocketStream(secured, stream.get_remote_address(), WSConnection(ConnectionType.CLIENT), asked)
    try:
        await made._upgrade()
    except ConnectionClosedError as error:
        raise OpenConnectionError(
            f"no WebSocket at {place.host} port {place.port} ({error}): look at the reverse proxy there"
        ) from error
    return made


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Certificates are checked against what the system trusts."""
    return ssl.create_default_context()


async def _secured(stream: trio.SocketStream, place: Place) -> trio.SSLStream:
    context = await trio.to_thread.run_sync(_trusted)
    secured = trio.SSLStream(stream, context, server_hostname=place.server, https_compatible=True)
    try:
        await secured.do_handshake()
    except trio.BrokenResourceError as error:
        why = error.__cause__
        said = why.verify_message if isinstance(why, ssl.SSLCertVerificationError) else "the handshake failed"
        raise OpenConnectionError(
            f"no TLS with {place.server} ({said}): its certificate has to be one that this system trusts"
        ) from error
    return secured
