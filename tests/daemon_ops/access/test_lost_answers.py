"""A call whose answer is lost after the change and before it is stored: repeating it changes nothing twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.load import load_settings
from daemon.app import App
from daemon.host.datadir import Datadir
from musigd_client import CallFailed, Client, Unreachable
from rpc.methods import samples
from rpc.methods.table import METHODS

pytestmark = pytest.mark.network

QUIET = {"p2p.mdns": False, "rpc.listen": "127.0.0.1:0", "p2p.listen": ["/ip4/127.0.0.1/tcp/0"], "network": "test-lost"}
MESSAGE = "5a" * 32


class Forgetful:
    """Makes each call twice with an idempotency key, while the daemon stores no answer after the change."""

    def __init__(self, app: App, client: Client) -> None:
        self.app, self.client = app, client
        self.tried: set[str] = set()

    async def call(self, method: str, **params: Any) -> Any:
        return await self.client.call(method, **params)

    async def twice(self, method: str, **params: Any) -> Any:
        """Make a call twice; returns the second answer, after asserting that the second added no event, and no line of
        the audit log where it is about a request."""
        self.tried.add(method)
        first = await self.call(method, **params, idempotencyKey=f"{method}-{len(self.tried)}")
        await self.settled()
        before, lines = await self.told(), await self.on_record()
        again = await self.call(method, **params, idempotencyKey=f"{method}-{len(self.tried)}")
        await self.settled()
        assert await self.told() == before, method
        assert await self.on_record() == lines or "Request" not in method, method
        assert again.keys() == first.keys()
        return again

    async def settled(self) -> None:
        """Wait until all automatic consequences of the calls so far have happened."""
        for _ in range(2):
            await self.app.signing.engine.do(lambda turn: None)

    async def told(self) -> list[str]:
        page = await self.call("getEvents", fromSeq=0, limit=1_000)
        return [event["event"] for event in page["events"]]

    async def on_record(self) -> list[str]:
        lines = (await self.call("getAuditLog", limit=1_000))["lines"]
        return [f"{line['seq']} {line['what']}" for line in lines]

    async def keys(self) -> list[str]:
        return [key["publicKey"] for key in (await self.call("listKeys"))["keys"]]

    async def ask(self, **more: Any) -> tuple[str, str]:
        """Ids of a request of both keys, which the second has not joined, and of its session."""
        both = (await self.keys())[:2]
        made = await self.call(
            "announceSigningRequest", requiredPublicKeys=both, publicKey=both[0], message=MESSAGE, **more
        )
        return made["requestId"], made["sessionId"]


@pytest.fixture
async def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Forgetful]:
    datadir = Datadir.claim(tmp_path / "datadir")
    app = App(load_settings(flags=QUIET, file=None), datadir)

    async def lose(*stored: object) -> None:
        """Lose the answer, as when the daemon is killed at this point."""

    monkeypatch.setattr(app.idempotency, "save", lose)
    try:
        await app.start()
        async with await Client.connect(datadir=datadir.path) as client:
            for _ in range(2):
                await client.create_key(scheme="lotus")
            yield Forgetful(app, client)
    finally:
        await app.stop()
        datadir.close()


async def test_repeated_call_finds_its_change_though_its_answer_was_never_stored(forgetful: Forgetful) -> None:
    await keys_tokens_and_peers(forgetful)
    await advertising(forgetful)
    await requests(forgetful)
    await sessions(forgetful)
    await people(forgetful)
    left_out = {"connectPeer", "disconnectPeer"}  # to be connected to a peer is a state: it cannot happen twice
    left_out |= {"approveRequest", "dismissRequest"}  # of requests that others made; each sets what is set already
    assert forgetful.tried == {method.name for method in METHODS.values() if method.idempotent} - left_out


async def keys_tokens_and_peers(daemon: Forgetful) -> None:
    made = await daemon.twice("createKey", scheme="lotus", label="once")
    assert (await daemon.keys())[2:] == [made["publicKey"]]
    assert (await daemon.twice("pauseKey", publicKey=made["publicKey"]))["paused"]
    assert not (await daemon.twice("resumeKey", publicKey=made["publicKey"]))["paused"]
    token = (await daemon.call("createToken", scopes=["read"]))["tokenId"]
    assert (await daemon.twice("revokeToken", tokenId=token))["revoked"]
    await daemon.twice("banPeer", peerId=samples.PEER_B, durationMs=60_000)
    await daemon.twice("unbanPeer", peerId=samples.PEER_B)
    await daemon.twice("lock")
    passphrase = (daemon.app.store.path.parent / "passphrase").read_text().strip()
    await daemon.call("unlock", passphrase=passphrase)


async def people(daemon: Forgetful) -> None:
    """Make calls about muted creators, contacts and the policy twice."""
    await daemon.twice("muteCreator", publicKey=samples.KEY_B)
    await daemon.twice("unmuteCreator", publicKey=samples.KEY_B)
    await daemon.twice("addContact", link=METHODS["addContact"].example["link"])
    await daemon.twice("removeContact", publicKey=samples.KEY_A)
    await daemon.twice("reloadPolicy")
    hook = (await daemon.call("createWebhook", **METHODS["createWebhook"].example))["webhookId"]
    await daemon.twice("deleteWebhook", webhookId=hook)


async def advertising(daemon: Forgetful) -> None:
    key = (await daemon.keys())[2]
    made = await daemon.twice("advertiseSigner", publicKey=key, criteria={"transactionTypes": ["spend"]})
    assert (made["publicKey"], made["own"]) == (key, True)
    assert (await refusal(daemon, "deleteKey", publicKey=key)).reason == "wrong_phase"
    assert (await daemon.twice("withdrawAdvertisement", publicKey=key))["withdrawn"]
    assert (await daemon.twice("deleteKey", publicKey=key))["deleted"]
    assert key not in await daemon.keys()
    await daemon.twice("subscribeToSignerDiscovery", transactionTypes=["spend"])
    await daemon.twice("unsubscribeFromSignerDiscovery")


async def refusal(daemon: Forgetful, method: str, **params: Any) -> CallFailed:
    with pytest.raises(CallFailed) as refused:
        await daemon.call(method, **params)
    return refused.value


async def requests(daemon: Forgetful) -> None:
    both = (await daemon.keys())[:2]
    asked = await daemon.twice(
        "announceSigningRequest", requiredPublicKeys=both, publicKey=both[0], message=MESSAGE, autoAdvance=False
    )
    listed = (await daemon.call("findSigningRequestsForMe"))["requests"]
    assert [request["requestId"] for request in listed] == [asked["requestId"]]
    assert [signer["publicKey"] for signer in asked["request"]["signers"] if signer["joined"]] == [both[0]]
    named = {"requestId": asked["requestId"], "publicKey": both[1]}
    assert sorted((await daemon.twice("joinSigningRequest", **named, autoAdvance=False))["joined"]) == sorted(both)
    request, _ = await daemon.ask()
    assert (await daemon.twice("declineSigningRequest", requestId=request, publicKey=both[1]))["declined"]
    request, _ = await daemon.ask()
    assert (await daemon.twice("cancelSigningRequest", requestId=request))["state"] == "cancelled"


async def sessions(daemon: Forgetful) -> None:
    (open_one,) = (await daemon.call("findSigningRequestsForMe"))["requests"]
    session = open_one["sessionId"]
    assert (await daemon.twice("startRound1", sessionId=session))["phase"] == "round1"
    assert (await daemon.twice("startRound2", sessionId=session))["phase"] == "complete"
    await daemon.twice("notifyBroadcastComplete", sessionId=session, txid="77" * 32)
    assert (await daemon.twice("closeSession", sessionId=session))["closed"]
    _, session = await daemon.ask()
    assert (await daemon.twice("abortSession", sessionId=session))["phase"] == "aborted"


@asynccontextmanager
async def dying_daemon(datadir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that runs a daemon and is killed when it is about to store an answer."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MUSIGD_")}
    (datadir / "endpoint.json").unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(Path(__file__).parent / "dying_daemon.py"), "run", "--datadir", str(datadir)),
        *("--network", "test-lost", "--rpc-listen", "127.0.0.1:0", "--p2p-listen", "/ip4/127.0.0.1/tcp/0"),
        env=environment | {"MUSIGD_P2P__MDNS": "false"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    ended = asyncio.ensure_future(process.wait())
    try:
        async with asyncio.timeout(180):
            while not (datadir / "endpoint.json").exists():
                assert not ended.done(), "the daemon ended before it was ready"
                await asyncio.wait({ended}, timeout=0.02)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await ended


async def test_daemon_killed_before_it_stored_the_answer_makes_the_change_once(tmp_path: Path) -> None:
    datadir = tmp_path / "datadir"
    datadir.mkdir(mode=0o700)
    create: dict[str, Any] = {"method": "createKey", "scheme": "bip340", "idempotencyKey": "k"}
    await killed_by(datadir, create)
    async with dying_daemon(datadir), await Client.connect(datadir=datadir, patience_s=0) as client:
        made = await client.call(**create)
        (key,) = (await client.list_keys()).keys
        assert made["publicKey"] == key.public_key
        other = (await client.create_key(scheme="bip340")).public_key
    announce: dict[str, Any] = {"method": "announceSigningRequest", "requiredPublicKeys": [key.public_key, other]}
    announce |= {"publicKey": other, "message": MESSAGE, "idempotencyKey": "a"}
    await killed_by(datadir, announce)
    async with dying_daemon(datadir), await Client.connect(datadir=datadir, patience_s=0) as client:
        asked = await client.call(**announce)
        (request,) = (await client.find_signing_requests_for_me()).requests
        assert asked["requestId"] == request.request_id
        with pytest.raises(CallFailed, match="another call"):
            await client.call(**{**announce, "message": "5b" * 32})


async def killed_by(datadir: Path, call: dict[str, Any]) -> None:
    """Make the call, which is carried out and kills the daemon."""
    async with dying_daemon(datadir) as daemon, await Client.connect(datadir=datadir, patience_s=0) as client:
        with pytest.raises(Unreachable):
            await client.call(**call)
        assert await daemon.wait() == -9
