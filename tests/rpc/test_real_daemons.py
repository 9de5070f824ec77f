"""The API of real daemons: answers have the shape of the models, and the examples of the docs make signatures."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from daemon.demo.processes import Daemons
from musig2.protocol.records.peers import peer_of, peer_text
from musigd_client import Client
from musigd_client.errors import CallFailed
from rpc.methods.table import METHODS
from rpc.models.event_kinds import COMMON
from rpc.schema.event_data import MEMBERS, members_of
from tests.rpc.rpc_daemons import Pair, two_daemons
from tests.rpc.schema.undeclared import undeclared

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

PROJECT = Path(__file__).parent.parent.parent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Both live as long as the module: each test uses keys of its own."""
    async with two_daemons(tmp_path_factory.mktemp("pair")) as made:
        yield made


async def checked(client: Client, method: str, **params: Any) -> Any:
    """The answer, after it was held to the model of the method."""
    answer = await client.call(method, **params)
    assert undeclared(METHODS[method].result.model_validate(answer, by_name=False)) == []
    assert ("seq" in answer) if METHODS[method].changes else True
    return answer


async def event(client: Client, name: str, **matching: str) -> dict[str, Any]:
    """The data of the first event of that name that matches, itself or its advertisement, from the oldest on."""
    async with asyncio.timeout(180):
        async for heard in client.events(from_seq=0, events=[name]):
            data = heard["data"]
            if matching.items() <= {**data.get("advertisement", {}), **data}.items():
                return data
    raise AssertionError("the stream does not end")


async def ask(pair: Pair, keys: list[str], message: str, **more: Any) -> tuple[str, str]:
    """Alice asks both keys, Bob has received it; request id and session id."""
    asked = await checked(
        pair.alice, "announceSigningRequest", requiredPublicKeys=keys, publicKey=keys[0], message=message, **more
    )
    await event(pair.bob, "signing-request:received", requestId=asked["requestId"])
    return asked["requestId"], asked["sessionId"]


async def advertised_keys(pair: Pair) -> list[str]:
    keys = [(await checked(client, "createKey", scheme="lotus"))["publicKey"] for client in (pair.alice, pair.bob)]
    criteria = {"transactionTypes": ["spend"], "minAmount": 5, "trustRequirements": {"reputation": 0}}
    await checked(pair.alice, "subscribeToSignerDiscovery", transactionTypes=["spend"])
    await checked(
        pair.bob, "advertiseSigner", publicKey=keys[1], criteria=criteria, metadata={"nickname": "b", "x": [1]}
    )
    await event(pair.alice, "signer:discovered", publicKey=keys[1])
    found = (await checked(pair.alice, "findAvailableSigners"))["signers"]
    own = (await checked(pair.bob, "listAdvertisements"))["advertisements"]
    assert keys[1] in [signer["publicKey"] for signer in found]
    assert [one["publicKey"] for one in own].count(keys[1]) == 1
    return keys


async def test_an_address_of_keys_of_two_schemes_is_not_given(pair: Pair) -> None:
    own = (await checked(pair.alice, "createKey", scheme="lotus"))["publicKey"]
    stray = (await checked(pair.alice, "createKey", scheme="bip340"))["publicKey"]
    other = (await checked(pair.bob, "createKey", scheme="bip340"))["publicKey"]
    await checked(pair.alice, "subscribeToSignerDiscovery", transactionTypes=["spend"])
    await checked(pair.bob, "advertiseSigner", publicKey=other, criteria={"transactionTypes": ["spend"]})
    await event(pair.alice, "signer:discovered", publicKey=other)
    for wrong in (stray, other):
        with pytest.raises(CallFailed) as caught:
            await pair.alice.call("aggregateKeys", publicKeys=[own, wrong], scheme="lotus")
        assert (caught.value.reason, caught.value.data["publicKey"]) == ("scheme_mismatch", wrong)


async def test_answers_of_a_whole_life_have_the_shape_of_the_models(pair: Pair) -> None:
    alice, bob = pair.alice, pair.bob
    for method in ("getInfo", "listPeers", "listBans", "listTokens", "listKeys", "listSessions", "rpc.discover"):
        await checked(alice, method)
    keys = await advertised_keys(pair)
    request, session = await ask(pair, keys, "22" * 32)
    await checked(alice, "getSigningRequest", requestId=request)
    await checked(alice, "getSession", sessionId=session)
    await checked(bob, "findSigningRequestsForMe")
    await checked(bob, "joinSigningRequest", requestId=request, publicKey=keys[1], autoAdvance=False)
    await checked(bob, "startRound1", sessionId=session)
    await checked(bob, "startRound2", sessionId=session)
    for method in ("advertiseSigner", "withdrawAdvertisement", "pauseKey", "resumeKey"):
        named = {**METHODS[method].example, "publicKey": keys[1]}
        with pytest.raises(CallFailed, match="scheme is bip340") as caught:
            await bob.call(method, **named, scheme="bip340")
        assert caught.value.reason == "scheme_mismatch"
    final = await checked(alice, "getFinalSignature", requestId=request, waitMs=60_000)
    assert (
        await checked(
            bob,
            "verifySignature",
            publicKey=final["aggregatedPublicKey"],
            message="22" * 32,
            signature=final["signature"],
            scheme="lotus",
        )
    )["valid"]
    await checked(alice, "notifyBroadcastComplete", sessionId=session, txid="44" * 32)
    await checked(alice, "getEvidence", sessionId=session)
    await checked(alice, "closeSession", sessionId=session)
    for client in (alice, bob):
        for each in (await checked(client, "getEvents", fromSeq=0, limit=1_000))["events"]:
            assert_data_as_described(each["event"], each["data"])


async def test_ends_without_a_signature_have_the_shape_of_the_models(pair: Pair) -> None:
    keys = await advertised_keys(pair)
    request, session = await ask(pair, keys, "33" * 32)
    await checked(pair.alice, "abortSession", sessionId=session, reason="enough")
    await checked(pair.alice, "getSession", sessionId=session)
    request, _ = await ask(pair, keys, "44" * 32, election=None)
    await checked(pair.alice, "cancelSigningRequest", requestId=request, reason="no")
    request, _ = await ask(pair, keys, "55" * 32)
    await checked(pair.bob, "declineSigningRequest", requestId=request, publicKey=keys[1], reason="no")
    await event(pair.alice, "signing-request:declined", requestId=request)
    assert (await checked(pair.alice, "getSigningRequest", requestId=request))["state"] == "declined"
    await checked(pair.bob, "withdrawAdvertisement", publicKey=keys[1])
    told = await checked(pair.alice, "getEvents", fromSeq=0, limit=1_000)
    for each in told["events"]:
        assert_data_as_described(each["event"], each["data"])


def assert_data_as_described(name: str, data: dict[str, Any]) -> None:
    described = members_of(name)
    required = {member for member, always in described.items() if always}
    assert required <= data.keys() <= described.keys() | COMMON, name
    for member, value in data.items():
        TypeAdapter(MEMBERS[member]).validate_json(json.dumps(value))


async def test_owner_manages_keys_peers_and_tokens(pair: Pair) -> None:
    alice = pair.alice
    key = (await checked(alice, "importKey", privateKey="11" * 32, scheme="bip340", label="old"))["publicKey"]
    assert (await checked(alice, "pauseKey", publicKey=key))["paused"]
    await checked(alice, "resumeKey", publicKey=key)
    await checked(alice, "lock")
    passphrase = (pair.datadirs[0] / "passphrase").read_text().strip()
    await checked(alice, "unlock", passphrase=passphrase)
    token = await checked(alice, "createToken", scopes=["read"], publicKeys=[key], label="phone")
    await checked(alice, "listTokens")
    await checked(alice, "revokeToken", tokenId=token["tokenId"])
    peer = (await checked(pair.bob, "getInfo"))["peerId"]
    await checked(alice, "banPeer", peerId=peer, durationMs=60_000)
    await checked(alice, "listBans")
    await checked(alice, "unbanPeer", peerId=peer)


async def run(*command: str) -> str:
    """Output of a command that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(150):
        output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    return output


async def test_example_in_python_makes_a_signature(pair: Pair) -> None:
    output = await run(sys.executable, str(PROJECT / "examples/sign_together.py"), *map(str, pair.datadirs))
    assert re.search(r"^signature [0-9a-f]{128}$", output, re.MULTILINE)


@pytest.mark.needs("curl")
async def test_example_with_curl_makes_a_signature(pair: Pair) -> None:
    output = await run("sh", str(PROJECT / "examples/sign_together.sh"), *map(str, pair.datadirs))
    assert re.search(r"^signature [0-9a-f]{128}$", output, re.MULTILINE)


@pytest.mark.parametrize("number", [0, 1], ids=["with the client", "with nothing but HTTP"])
async def test_first_signature_of_the_page_for_wallet_developers_works_as_it_is_written(
    pair: Pair, number: int
) -> None:
    page = (PROJECT / "docs/wallets.md").read_text()
    program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[number]
    output = await run(sys.executable, "-c", f"import os; os.chdir({str(pair.datadirs[0].parent)!r})\n{program}")
    assert re.fullmatch(r"[0-9a-f]{128}\n", output)


async def test_a_bootstrap_address_of_another_peer_is_a_problem_in_getinfo(tmp_path: Path) -> None:
    daemons, stranger = Daemons(tmp_path, f"test-{secrets.token_hex(4)}"), peer_text(peer_of(secrets.token_bytes(32)))
    try:
        alice = await daemons.start("alice", ())
        address, _, found = alice.multiaddr.partition("/p2p/")
        bob = await daemons.start("bob", (f"{address}/p2p/{stranger}",))
        async with await Client.connect(datadir=bob.datadir) as client, asyncio.timeout(180):
            remedies: list[str] = []
            while not remedies:
                problems = (await client.get_info()).problems
                remedies = [each.remedy for each in problems if each.reason == "bootstrap_unusable"]
        assert f"peer {found} answers there instead of {stranger}" in remedies[0]
    finally:
        await daemons.stop()
