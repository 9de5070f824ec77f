"""WebSocket frames from server to client (RFC 6455 section 5.2), as bytes ready for the transport.

The same notification goes to many subscribers, so a frame is made once and written as it is. Each frame is one write on
the event loop, so frames of a connection cannot mix; connections are opened without compression.
"""

from __future__ import annotations

import struct

_TEXT = 0x81  # final frame, text
_CLOSE = 0x88  # final frame, close
_PING = 0x89  # final frame, ping


def text_frame(payload: bytes) -> bytes:
    """One text message; `payload` is UTF-8."""
    return _frame(_TEXT, payload)


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to the 123 bytes that fit."""
    return _frame(_CLOSE, struct.pack("!H", code) + reason.encode()[:123])


def ping_frame() -> bytes:
    """A ping without a payload; any client answers it by itself."""
    return _frame(_PING, b"")


def _frame(first: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload
