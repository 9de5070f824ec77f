"""WebSockets below Noise: two nodes talk over them, and what is no WebSocket, or too much of one, hurts nobody."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Ping, Request, TextMessage

from p2p.addresses import from_text
from p2p.errors import PeerUnreachable
from p2p.ways import websocket
from p2p.ways.websocket import EMPTY, FRAMES, FRAMES_AT_ONCE, NoWebSocket, WebSocketStream
from tests.certificates import certificate
from tests.p2p.nodes import TestNode, eventually, identified, network
from tests.p2p.p2p_world import have
from tests.p2p.ways.tor_world import _carry
from tests.serving import serving

WS: Any = {"listen": ("/ip4/127.0.0.1/tcp/0/ws",)}
KEY = base64.b64encode(bytes(16)).decode()
UPGRADE = (
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
MASK = bytes(4)
ATTACKS = {
    "nothing at all": b"",
    "half an upgrade": UPGRADE[:40],
    "a page": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "another method": UPGRADE.replace(b"GET", b"PUT"),
    "a host name that cannot be": UPGRADE.replace(b"Host: x", b"Host: xn--" + b"\xff" * 500),
    "headers without end": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    "no HTTP": bytes(range(256)) * 64,
    "Noise without an upgrade": b"\x13/multistream/1.0.0\n",
    "a frame of 2^63 bytes": UPGRADE + b"\x82\xff\x7f" + b"\xff" * 7 + MASK + b"\x00" * 100_000,
    "a length that says -1": UPGRADE + b"\x82\xff" + b"\xff" * 8 + MASK,
    "no mask": UPGRADE + b"\x82\x05hello",
    "reserved bits": UPGRADE + b"\xf2\x80" + MASK,
    "an unknown opcode": UPGRADE + b"\x83\x80" + MASK,
    "text": UPGRADE + b"\x81\x81" + MASK + b"a",
    "text that is none": UPGRADE + b"\x81\x81" + MASK + b"\xff",
    "fragments without end": UPGRADE + b"\x02\x80" + MASK + (b"\x00\x80" + MASK) * 20_000,
    "a fragment of nothing": UPGRADE + b"\x00\x80" + MASK,
    "pings without end": UPGRADE + (b"\x89\x84" + MASK + b"ping") * 20_000,
    "a long ping": UPGRADE + b"\x89\xfe\x10\x00" + MASK + bytes(4_096),
    "a close and more": UPGRADE + b"\x88\x80" + MASK + b"\x82\x81" + MASK + b"a",
    "a byte a message": UPGRADE + b"".join(b"\x82\x81" + MASK + bytes([byte]) for byte in b"\x13/multistream/1.0.0\n"),
}


def port_of(node: TestNode) -> int:
    return int(node.address.split("/")[4])


@pytest.mark.network
async def test_two_nodes_talk_over_websockets_alone() -> None:
    async with network(**WS) as anna, network(**WS) as bob:
        assert bob.address.split("/")[5] == "ws"
        await anna.meet(bob)
        await identified(anna, bob)
        assert anna.peers()[0].multiaddrs == (bob.address,)
        assert anna.send(bob.peer, [have(number) for number in range(500)])
        assert await bob.ask(anna.peer, b"abc" * 100_000, 60_000) == b"cba" * 100_000
        await bob.sink.until(lambda: len(bob.sink.frames) == 500)


@pytest.mark.network
async def test_whatever_is_sent_to_a_websocket_hurts_nobody_else() -> None:
    async with network(**WS, upgrade_timeout_ms=10_000) as bob, network(**WS) as anna:
        held = []
        for said in ATTACKS.values():
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(bob))
            with contextlib.suppress(OSError):
                writer.write(said)
            held.append((reader, writer))
        await anna.meet(bob)
        await identified(anna, bob)
        assert await anna.ask(bob.peer, b"abc", 60_000) == b"cba"
        for reader, writer in held:
            with contextlib.suppress(OSError):
                await reader.read()  # until the node has ended it
            writer.close()
        assert bob.alive
        assert bob.sink.states[-1].status.value == "up"
        await eventually(lambda: _pending(bob, 0))


@pytest.mark.network
async def test_idle_upgrades_take_no_place_of_those_who_speak() -> None:
    async with network(**WS, upgrade_timeout_ms=3_000, max_pending_per_ip=2) as bob, network(**WS) as anna:
        idle = [await asyncio.open_connection("127.0.0.1", port_of(bob)) for _ in range(300)]
        for _, writer in idle:
            writer.write(UPGRADE)
        async with asyncio.timeout(120):
            await asyncio.gather(*(_to_the_end(reader) for reader, _ in idle))
        assert await eventually(lambda: anna.dial(bob.peer, [from_text(bob.address)]))
        for _, writer in idle:
            writer.close()


async def _to_the_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        await reader.read()


async def _pending(node: TestNode, count: int) -> bool:
    found: int = await node.inside(lambda inner: inner.host.swarm._pending.total())
    return found == count


# Against the stream alone, in memory.


async def upgraded() -> tuple[WebSocketStream, Any, WSConnection]:
    ours, theirs = trio.testing.memory_stream_pair()
    client = WSConnection(ConnectionType.CLIENT)
    served = WebSocketStream(ours, ("192.0.2.1", 1), WSConnection(ConnectionType.SERVER), None)
    await theirs.send_all(client.send(Request(host="x", target="/")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(served.write, b"hello")
        while client.state.name != "OPEN":
            client.receive_data(await theirs.receive_some())
            assert all(isinstance(event, AcceptConnection | BytesMessage) for event in client.events())
    return served, theirs, client


def in_trio(test: Callable[[], Any]) -> Any:
    """Time passes when everybody waits."""
    return trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))


def test_bytes_arrive_however_they_are_cut_and_fragmented() -> None:
    async def run() -> None:
        served, theirs, client = await upgraded()
        whole = bytes(range(256)) * 40
        sent = b"".join(
            client.send(BytesMessage(whole[at : at + 37], message_finished=at % 2 == 0))
            for at in range(0, len(whole), 37)
        )
        await theirs.send_all(sent[:5])
        for at in range(5, len(sent), 111):
            await theirs.send_all(sent[at : at + 111])
        got = b""
        while len(got) < len(whole):
            got += await served.read(1_000)
        assert got == whole

    in_trio(run)


def test_a_frame_is_passed_on_before_it_is_whole() -> None:
    async def run() -> None:
        served, theirs, _ = await upgraded()
        await theirs.send_all(b"\x82\xff" + (2**40).to_bytes(8, "big") + MASK + b"abc")
        assert await served.read() == b"abc"
        await theirs.send_all(b"def")
        assert await served.read() == b"def"

    in_trio(run)


@pytest.mark.parametrize("event", [Ping(b""), BytesMessage(b"")])
def test_frames_without_content_are_read_at_a_pace(event: Any) -> None:
    async def run() -> None:
        served, theirs, client = await upgraded()
        served.known()
        count = (FRAMES_AT_ONCE + 3 * FRAMES) // EMPTY
        frames = client.send(event) * count + client.send(BytesMessage(b"x"))
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(theirs.send_all, frames)
            assert await served.read() == b"x"
        assert 2.5 < trio.current_time() - begun < 4

    in_trio(run)


def test_frames_are_counted_for_whoever_charges_them() -> None:
    async def run() -> None:
        served, theirs, client = await upgraded()
        await theirs.send_all(client.send(BytesMessage(b"x")) * 50)
        assert await served.read() == b"x" * 50
        assert (served.frames_taken(), served.frames_taken()) == (50, 0)

    in_trio(run)


def test_text_ends_the_connection() -> None:
    async def run() -> None:
        served, theirs, client = await upgraded()
        await theirs.send_all(client.send(TextMessage("hello")))
        with pytest.raises(NoWebSocket, match="binary"):
            await served.read()

    in_trio(run)


# TLS, which a reverse proxy ends.


@contextlib.asynccontextmanager
async def reverse_proxy(folder: Path, target: Callable[[], int]) -> AsyncIterator[tuple[int, Path]]:
    """Ends TLS and passes the rest on to the port of `target`, as nginx would; its own port, and whom to trust."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    certificate(cert, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = await asyncio.open_connection("127.0.0.1", target())
        await asyncio.gather(_carry(reader, inner[1]), _carry(inner[0], writer), return_exceptions=True)

    async with serving(serve, tls=context) as port:
        yield port, cert


@pytest.mark.network
async def test_tls_of_a_reverse_proxy_is_checked_against_what_the_system_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with network(**WS) as bob, network() as anna, reverse_proxy(tmp_path, lambda: port_of(bob)) as (port, cert):
        address = f"/ip4/127.0.0.1/tcp/{port}/tls/ws/p2p/{bob.peer_text}"
        websocket._trusted.cache_clear()
        with pytest.raises(PeerUnreachable, match=r"no TLS with 127\.0\.0\.1 \(self.signed certificate\): its cert"):
            await anna.connect(address)
        monkeypatch.setattr(websocket, "_trusted", lambda: ssl.create_default_context(cafile=str(cert)))
        await anna.connect(address)
        await identified(anna, bob)
        assert await bob.ask(anna.peer, b"abc", 60_000) == b"cba"


def test_the_library_for_websockets_is_loaded_by_those_who_use_it() -> None:
    looked_for = "('wsproto', 'h11', 'p2p.ways.websocket')"
    program = f"import sys, p2p.network; print([name for name in {looked_for} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"
