"""The API beside a bare aiohttp handler: both servers, calls over HTTP and WebSocket, and event fan-out.

The server runs in a process of its own, pinned to one core; the load comes from the other. Only the ratio to the bare
handler says something about the program; the figures beside it say something about the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import struct
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import orjson
from aiohttp import web

from rpc.config import RpcConfig
from rpc.server.server import RpcServer
from tests.rpc.rpc_backend import memory_backend
from tests.rpc.rpc_log import MemoryLog
from tests.rpc.rpc_stores import MemoryAnswers, MemoryTokens, SettableHealth

TOKEN = "bench-token"  # of a server that lives for one run
CALL = b'{"jsonrpc":"2.0","id":1,"method":"getInfo","params":{}}'
ANSWER = b'{"jsonrpc":"2.0","id":1,"result":{"version":"0.1.0"}}'


async def bare_server() -> int:
    """POST / and GET /ws that read, and answer with constant bytes."""

    async def post(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(body=ANSWER, content_type="application/json")

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/ws":
            return await post(request)
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        async for message in ws:
            orjson.loads(message.data)
            await ws.send_str(ANSWER.decode())
        return ws

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


async def real_server(log: MemoryLog) -> RpcServer:
    """The API with a backend in memory and one token of scope read."""
    tokens = MemoryTokens()
    tokens.make(TOKEN, "read")
    server = RpcServer(
        RpcConfig(port=0, calls_per_second=1e9),
        memory_backend(log, tokens),
        events=log,
        tokens=tokens,
        idempotency=MemoryAnswers(),
        health=SettableHealth(),
    )
    await server.start()
    return server


async def serve(pipe: Connection, events_per_second: int) -> None:
    """Tells both ports; then publishes that many events for a number, and tells the CPU time used for "cpu"."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    log = MemoryLog()
    server = await real_server(log)
    pipe.send((await bare_server(), server.port))
    loop = asyncio.get_running_loop()
    while True:
        count = await loop.run_in_executor(None, pipe.recv)
        if count == "cpu":
            pipe.send(time.process_time())
            continue
        if count is None:
            await server.stop(0)
            return
        began = loop.time()
        for at in range(count):
            log.append("session:ready", publicKeys=[], sent=time.monotonic_ns(), sessionId="00" * 32)
            await asyncio.sleep(max(0, began + (at + 1) / events_per_second - loop.time()))


def _process(pipe: Connection, events_per_second: int) -> None:
    asyncio.run(serve(pipe, events_per_second))


def http_request(path: str) -> bytes:
    """A POST as a client sends it over keep-alive."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(CALL)}\r\n\r\n"
    )
    return head.encode() + CALL


async def http_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)


async def open_ws(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head.partition(b"\r\n")[0], head
    return reader, writer


def client_frame(payload: bytes) -> bytes:
    """A masked text frame; the mask is zero, which is allowed and costs nothing."""
    size = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0x80 | 126, size)
    return head + bytes(4) + payload


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    first, size = await reader.readexactly(2)
    if size == 126:
        size = struct.unpack("!H", await reader.readexactly(2))[0]
    elif size == 127:
        size = struct.unpack("!Q", await reader.readexactly(8))[0]
    payload = await reader.readexactly(size)
    return payload if first == 0x81 else b""


Once = Callable[[], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def http_connections(port: int, count: int, path: str) -> AsyncIterator[list[Once]]:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    request = http_request(path)
    yield [partial(http_once, *pair, request) for pair in opened]
    for _, writer in opened:
        writer.close()


@contextlib.asynccontextmanager
async def ws_connections(port: int, count: int) -> AsyncIterator[list[Once]]:
    opened = [await open_ws(port) for _ in range(count)]
    frame = client_frame(CALL)

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame)
        await read_frame(reader)

    yield [lambda pair=pair: once(*pair) for pair in opened]
    for _, writer in opened:
        writer.close()


async def throughput(pipe: Connection, onces: list[Once], seconds: float) -> tuple[int, float]:
    """Calls per second, and microseconds of CPU each; every connection asks as fast as it is answered."""
    done = 0
    pipe.send("cpu")
    used = pipe.recv()
    end = time.perf_counter() + seconds

    async def ask(once: Once) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await once()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(ask(once) for once in onces))
    rate = round(done / (time.perf_counter() - began))
    pipe.send("cpu")
    return rate, round((pipe.recv() - used) / done * 1e6, 1)


class Counter(asyncio.Protocol):
    """A subscriber that only counts complete frames and notes when the last one came; cheap, so that 1,000 fit."""

    def __init__(self, expected: int = 0, complete: Callable[[], None] = lambda: None) -> None:
        self.expected = expected
        self.complete = complete
        self.buffer = b""
        self.seqs: list[int] = []
        self.late_ms: list[float] = []
        self.upgraded = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
            + client_frame(b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}')
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            _, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            self.upgraded, self.buffer = True, rest
        at, buffer = 0, self.buffer
        while len(buffer) - at >= 4:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            if len(buffer) < start + size:
                break
            self.take(buffer[start : start + size])
            at = start + size
        self.buffer = buffer[at:]

    def take(self, payload: bytes) -> None:
        mark = payload.find(b'"seq":')
        if mark < 0:
            return
        self.seqs.append(int(payload[mark + 6 : payload.index(b",", mark)]))
        if len(self.seqs) == self.expected:
            self.complete()
        if len(self.seqs) % 20 == 0:
            sent = payload.find(b'"sent":')
            self.late_ms.append((time.monotonic_ns() - int(payload[sent + 7 : payload.index(b",", sent)])) / 1e6)


async def stuck_subscriber(port: int) -> socket.socket:
    """Subscribes and then reads nothing, with the smallest receive buffer."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    stuck.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, ("127.0.0.1", port))
    counter = Counter()
    counter.transport = None

    class _Sent:
        def write(self, data: bytes) -> None:
            stuck.send(data)

    counter.connection_made(_Sent())
    return stuck


async def fan_out(port: int, pipe: Connection, subscribers: int, events: int, *, stuck: bool) -> dict[str, Any]:
    """`events` to `subscribers`: in order, none missed, and how late."""
    loop = asyncio.get_running_loop()
    everybody = asyncio.Event()
    left = subscribers

    def complete() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            everybody.set()

    def counter() -> Counter:
        return Counter(events, complete)

    counters = [(await loop.create_connection(counter, "127.0.0.1", port))[1] for _ in range(subscribers)]
    held = await stuck_subscriber(port) if stuck else None
    await asyncio.sleep(1)
    pipe.send(events)
    async with asyncio.timeout(600):
        await everybody.wait()
    whole = all(each.seqs == list(range(each.seqs[0], each.seqs[0] + events)) for each in counters)
    late = sorted(ms for each in counters for ms in each.late_ms)
    for each in counters:
        assert each.transport is not None
        each.transport.close()
    if held is not None:
        held.close()
    return {
        "complete_and_in_order": whole,
        "late_ms_median": round(statistics.median(late), 2),
        "late_ms_p99": round(late[int(len(late) * 0.99)], 2),
    }
