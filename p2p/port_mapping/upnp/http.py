"""One HTTP request to a router and its whole answer: bounded in bytes and time, at that host, no redirect followed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import h11
import trio

from p2p.port_mapping.router import BadAnswer

EXCHANGE_S: Final = 5.0
MOST_BYTES: Final = 128 * 1024  # of an answer, headers included; descriptions of large routers have 30 KiB
CHUNK_BYTES: Final = 4 * 1024
_TARGET: Final = re.compile(r"/[!-~]{0,1023}")


@dataclass(frozen=True, slots=True)
class Url:
    """An http URL at an IPv4 address."""

    host: str
    port: int
    target: str

    def __str__(self) -> str:
        return f"http://{self.host}:{self.port}{self.target}"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """`own_host`: the address of this machine on the connection."""

    status: int
    body: bytes
    own_host: str


def url_at(host: str, text: str, base: Url | None = None) -> Url:
    """The URL `text`, perhaps relative to `base`. Raises BadAnswer unless it is plain http at exactly that host."""
    try:
        parts = urlsplit(urljoin(str(base), text) if base else text)
        port = parts.port or 80
    except ValueError as error:
        raise BadAnswer("a URL in it cannot be read") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme != "http" or parts.netloc not in (host, f"{host}:{port}"):
        raise BadAnswer(f"a URL in it leads elsewhere than to http://{host}")
    if _TARGET.fullmatch(target) is None:
        raise BadAnswer("a URL in it cannot be read")
    return Url(host, port, target)


async def exchange(url: Url, method: str, headers: Mapping[str, str], body: bytes = b"") -> HttpAnswer:
    """Send a request and read the answer. Raises BadAnswer."""
    try:
        with trio.fail_after(EXCHANGE_S):
            stream = await trio.open_tcp_stream(url.host, url.port)
            async with stream:
                await stream.send_all(_request(url, method, headers, body))
                status, content = await _answer(stream)
                return HttpAnswer(status, content, str(stream.socket.getsockname()[0]))
    except trio.TooSlowError as error:
        raise BadAnswer(f"nothing whole came within {EXCHANGE_S:.0f} s") from error
    except (OSError, trio.BrokenResourceError) as error:
        raise BadAnswer("it does not take the connection") from error
    except h11.ProtocolError as error:
        raise BadAnswer("that is not HTTP") from error


def _request(url: Url, method: str, headers: Mapping[str, str], body: bytes) -> bytes:
    sent = h11.Connection(h11.CLIENT)
    all_headers = {
        "Host": f"{url.host}:{url.port}",
        "Connection": "close",
        **headers,
        **({"Content-Length": str(len(body))} if body else {}),
    }
    events = [h11.Request(method=method, target=url.target, headers=list(all_headers.items()))]
    return b"".join(sent.send(each) or b"" for each in [*events, *([h11.Data(body)] if body else [])])


async def _answer(stream: trio.SocketStream) -> tuple[int, bytes]:
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "router")]))
    reader.send(h11.EndOfMessage())
    status, body, read = 0, bytearray(), 0
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            data = await stream.receive_some(CHUNK_BYTES)
            read += len(data)
            if read > MOST_BYTES:
                raise BadAnswer(f"the answer has more than {MOST_BYTES} bytes")
            reader.receive_data(data)
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise BadAnswer("the answer is not whole")
