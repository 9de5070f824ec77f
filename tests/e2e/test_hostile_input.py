"""Neither junk on the ports nor peers that die keep a daemon from its next session."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from daemon.demo.processes import DemoDaemon
from daemon.demo.wallet import Wallet
from musigd_client import CallFailed
from tests.e2e.fleet import advertise_all, fleet, sign

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

DEADLINE = 180
GARBAGE = (b"\x00" * 64, b"\x13/multistream/1.0.0\n" + b"\xff" * 200, os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n", b"")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wallets(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Wallet]]:
    """Alice, Bob, and Carol, whom one test kills: the others need the first two."""
    async with fleet(tmp_path_factory.mktemp("fleet"), 3) as ships:
        await advertise_all(ships.wallets, "bip340")
        yield ships.wallets


def p2p_port(daemon: DemoDaemon) -> int:
    return int(daemon.multiaddr.split("/")[4])


def rpc_port(daemon: DemoDaemon) -> int:
    return urlsplit(str(daemon.endpoint["rpc"])).port or 0


async def throw(port: int, junk: bytes) -> bytes:
    """Send junk, end the stream, and read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(junk)
        writer.write_eof()
        async with asyncio.timeout(DEADLINE):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_garbage_on_both_ports_does_not_stop_the_next_session(wallets: list[Wallet]) -> None:
    target = wallets[0].daemon
    for junk in GARBAGE:
        await throw(p2p_port(target), junk)
        await throw(rpc_port(target), junk)

    final = await sign(wallets[:2])

    assert target.process.returncode is None
    assert len(final["signature"]) == 128


async def test_a_connected_peer_that_is_killed_is_missed_and_the_others_go_on(wallets: list[Wallet]) -> None:
    alice, bob, carol = wallets
    carol_peer = str(carol.daemon.endpoint["peerId"])

    carol.daemon.process.send_signal(signal.SIGKILL)
    await alice.heard("peer:disconnected", peerId=carol_peer)

    final = await sign([alice, bob])

    assert final["scheme"] == "bip340"
    assert alice.daemon.process.returncode is None


async def test_a_half_sent_request_on_the_rpc_port_is_answered_or_closed(wallets: list[Wallet]) -> None:
    head = b"POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"

    await throw(rpc_port(wallets[0].daemon), head)

    info = await wallets[0].call("getInfo")
    assert info["ready"] is True, json.dumps(info["problems"])


async def test_a_key_of_one_scheme_signs_nothing_of_the_other(wallets: list[Wallet]) -> None:
    alice, bob, _ = wallets
    keys = [
        (await alice.call("createKey", scheme="lotus"))["publicKey"],
        (await alice.call("createKey", scheme="bip340"))["publicKey"],
        (await bob.call("createKey", scheme="bip340"))["publicKey"],
    ]
    message = "33" * 32
    with pytest.raises(CallFailed) as at_home:
        await alice.call("announceSigningRequest", requiredPublicKeys=keys[:2], message=message, publicKey=keys[0])
    ask = {"requiredPublicKeys": [keys[0], keys[2]], "message": message, "publicKey": keys[0]}
    across = await alice.call("announceSigningRequest", **ask)
    (told,) = await alice.heard("signing-request:declined", requestId=across["requestId"])
    with pytest.raises(CallFailed) as abroad:
        await bob.call("joinSigningRequest", requestId=across["requestId"], publicKey=keys[2])
    with pytest.raises(CallFailed) as known_by_now:
        await alice.call("announceSigningRequest", **ask)

    assert (at_home.value.code, at_home.value.reason) == (-32016, "scheme_mismatch")
    assert (told["publicKey"], told["reason"]) == (keys[2], "scheme_mismatch")
    assert abroad.value.reason == "declined"
    assert (known_by_now.value.code, known_by_now.value.reason) == (-32016, "scheme_mismatch")
