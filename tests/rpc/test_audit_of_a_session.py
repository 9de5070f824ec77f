"""The record of real daemons explains every signature: who asked for it, which key joined, and when it signed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from musigd_client import Client
from rpc.methods import samples
from tests.rpc.rpc_daemons import Pair, two_daemons

pytestmark = pytest.mark.network


async def record(client: Client) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = (await client.call("getAuditLog", limit=1_000))["lines"]
    return lines


async def signed(pair: Pair, wallet: Client, keys: list[str]) -> str:
    """The request id of a request that both have signed; Bob's join comes from `wallet`."""
    asked = await pair.alice.call(
        "announceSigningRequest", requiredPublicKeys=keys, publicKey=keys[0], message="5a" * 32
    )
    request: str = asked["requestId"]
    async with asyncio.timeout(60):
        async for heard in wallet.events(from_seq=0):
            if heard["event"] == "signing-request:received":
                break
    await wallet.call("joinSigningRequest", requestId=request, publicKey=keys[1])
    for client in (pair.alice, wallet):
        assert (await client.call("getFinalSignature", requestId=request, waitMs=60_000))["signature"]
    return request


async def musigd(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "daemon.main", *words, stdout=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode is not None
    return process.returncode, said


async def test_the_record_explains_a_signature_and_its_file_can_be_checked(tmp_path: Path) -> None:
    async with two_daemons(tmp_path) as pair:
        keys = [(await c.call("createKey", scheme="lotus"))["publicKey"] for c in (pair.alice, pair.bob)]
        made = await pair.bob.call("createToken", scopes=["sign", "discover"], publicKeys=[keys[1]], label="phone")
        await pair.alice.call("banPeer", peerId=samples.PEER_B, durationMs=1_000)
        async with await Client.connect(url=url_of_bob(pair), token=made["token"]) as wallet:
            request = await signed(pair, wallet, keys)
        lines = await record(pair.bob)
        (partial,) = (line for line in lines if line["what"] == "partial")
        assert (partial["facts"]["publicKey"], partial["facts"]["requestId"]) == (keys[1], request)
        (join,) = (line for line in lines if line["facts"].get("method") == "joinSigningRequest")
        who = {"token": made["tokenId"], "label": "phone", "through": "http", "from": join["facts"]["who"]["from"]}
        assert join["facts"]["who"] == who
        assert who["from"].startswith("127.0.0.1:")
        assert (join["facts"]["publicKey"], join["facts"]["requestId"]) == (keys[1], request)
        order = [line["what"] for line in lines if line["facts"].get("requestId") == request]
        assert order.index("call") < order.index("partial") < order.index("signature:finalized")
        (final,) = (line for line in lines if line["what"] == "signature:finalized")
        told = await pair.bob.call("getFinalSignature", requestId=request)
        assert final["facts"]["signatures"] == [told["signature"]]
        assert {"peer:banned", "key:created", "signing-request:created"} <= {
            line["what"] for line in await record(pair.alice)
        }
        verified = await pair.bob.call("verifyAuditLog", anchors=[(await pair.bob.call("getAuditLog"))["anchor"]])
        assert (verified["valid"], verified["lines"]) == (True, len(lines))
        code, anchor = await musigd("audit", "anchor", "--datadir", str(pair.datadirs[1]))
        assert (code, anchor.strip()) == (0, verified["anchor"])
        file = tmp_path / "record.jsonl"
        assert (await musigd("audit", "export", str(file), "--datadir", str(pair.datadirs[1])))[0] == 0
    assert (await musigd("audit", "verify", str(file), "--anchor", anchor.strip()))[0] == 0
    assert made["token"] not in file.read_text()
    file.write_bytes(file.read_bytes().replace(b"phone", b"fhone"))
    code, said = await musigd("audit", "verify", str(file))
    assert (code, "is not what was written" in said) == (1, True)


async def test_a_call_that_a_token_may_not_make_is_on_record(tmp_path: Path) -> None:
    async with two_daemons(tmp_path) as pair:
        made = await pair.bob.call("createToken", scopes=["read"], label="tablet")
        async with await Client.connect(url=url_of_bob(pair), token=made["token"]) as tablet:
            with pytest.raises(Exception, match="needs"):
                await tablet.call("createKey", scheme="lotus")
        await pair.bob.call("resumeKey", publicKey=(await pair.bob.call("createKey", scheme="lotus"))["publicKey"])
        (refused,) = (line["facts"] for line in await record(pair.bob) if "refused" in line["facts"])
        assert (refused["method"], refused["refused"]) == ("createKey", "forbidden")
        assert refused["who"]["label"] == "tablet"


def url_of_bob(pair: Pair) -> str:
    return str(pair.daemons[1].endpoint["rpc"])
