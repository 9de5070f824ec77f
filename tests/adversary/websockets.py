"""The WebSocket of a hostile peer (RFC 6455), bare: frames are made by hand, and may be as wrong as they like."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import trio

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUED = 0
FINAL, MASKED = 0x80, 0x80
MASK = bytes(4)  # allowed, and leaves the content as it is
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
KEY = base64.b64encode(bytes(16))
UPGRADE = (
    HEAD
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    + KEY
    + b"\r\n\r\n"
)
READ_BYTES = 65_536


def opening(opcode: int, size: int, *, final: bool = True) -> bytes:
    """The beginning of a frame that says that so many bytes follow."""
    if size < 126:
        length = bytes([MASKED | size])
    elif size < 65_536:
        length = bytes([MASKED | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([MASKED | 127]) + size.to_bytes(8, "big")
    return bytes([opcode | (FINAL if final else 0)]) + length + MASK


def message(data: bytes) -> bytes:
    """As a message of one frame."""
    return opening(BINARY, len(data)) + data


def bytewise(data: bytes) -> bytes:
    """Each byte as a message of its own."""
    return b"".join(message(bytes([byte])) for byte in data)


def fragments(data: bytes) -> bytes:
    """As one message, each byte of it in a fragment of its own, with an empty one behind it."""
    parts = [opening(CONTINUED, 1, final=False) + bytes([byte]) + opening(CONTINUED, 0, final=False) for byte in data]
    return opening(BINARY, 0, final=False) + b"".join(parts) + opening(CONTINUED, 0)


class WebSocket:
    """Stands for a stream of trio, once the upgrade is done. `dress` makes frames of what is written."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.raw = stream
        self.socket = stream.socket
        self.dress: Callable[[bytes], bytes] = message
        self._arrived = bytearray()

    @classmethod
    async def upgraded(cls, stream: trio.SocketStream) -> WebSocket:
        """Raises trio.BrokenResourceError if it is refused."""
        made = cls(stream)
        await stream.send_all(UPGRADE)
        while b"\r\n\r\n" not in made._arrived:
            await made._more()
        answer, _, behind = bytes(made._arrived).partition(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise trio.BrokenResourceError("refused")
        made._arrived[:] = behind
        return made

    async def _more(self) -> None:
        data = await self.raw.receive_some(READ_BYTES)
        if not data:
            raise trio.BrokenResourceError("ended")
        self._arrived += data

    async def send_all(self, data: bytes) -> None:
        """Write bytes, dressed."""
        await self.raw.send_all(self.dress(data))

    async def receive_some(self, most: int | None = None) -> bytes:
        """What one binary frame holds; other frames are passed over. `most`: the caller keeps the rest itself."""
        while True:
            opcode, data = await self._frame()
            if opcode == CLOSE:
                return b""
            if opcode in (BINARY, CONTINUED) and data:
                if most is not None and len(data) > most:
                    self._arrived[:0] = (
                        bytes([FINAL | BINARY, 127]) + (len(data) - most).to_bytes(8, "big") + data[most:]
                    )
                return data[:most]

    async def _frame(self) -> tuple[int, bytes]:
        opcode, size = await self._taken(2)
        opcode &= 15
        if size >= 126:
            size = int.from_bytes(await self._taken(2 if size == 126 else 8), "big")
        return opcode, await self._taken(size)

    async def _taken(self, count: int) -> bytes:
        while len(self._arrived) < count:
            await self._more()
        taken = bytes(self._arrived[:count])
        del self._arrived[:count]
        return taken

    async def aclose(self) -> None:
        """End the connection, without a word."""
        await self.raw.aclose()


def below(connection: Any) -> WebSocket:
    """The WebSocket beneath a multiplexed connection."""
    found = connection.secured_conn.conn.read_writer.read_write_closer.stream.stream
    assert isinstance(found, WebSocket)
    return found
