"""Daemons with their wallets, the peers that meet them, and what is waited for."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import musig2
from daemon.demo.wallet import Wallet
from musig2.protocol.records.peers import PeerIdentity, peer_text
from tests.e2e.vessels import NAMES, Vessel, start_together
from tests.strangers.stranger import Failed, Stranger

SCHEMES = ("lotus", "bip340")
SPEND = {"transactionTypes": ["spend"]}
TAPROOT: list[dict[str, str | None]] = [{"taprootMerkleRoot": None}]
NOWHERE = "nowhere"

Starts: TypeAlias = Callable[..., AbstractAsyncContextManager[Stranger]]  # (network, seed in hex, where it listens)


@dataclass(frozen=True)
class Way:
    """How the peer and the daemons reach each other."""

    name: str
    start: Starts
    daemons: str = ""  # behind the TCP address at which daemons listen, such as /ws
    peers: str = "/ip4/127.0.0.1/tcp/0"  # where peers listen


class World:
    """The daemons, and how a peer is started among them."""

    def __init__(self, root: Path, made: list[Vessel], network: str, way: Way) -> None:
        self.root, self.vessels, self.network, self.way = root, made, network, way

    @property
    def alice(self) -> Wallet:
        return self.vessels[0].wallet

    @property
    def bob(self) -> Wallet:
        return self.vessels[1].wallet

    def peer(self, smaller: bool | None = None, *, relay: str = "") -> AbstractAsyncContextManager[Stranger]:
        """A peer of its own; `smaller`: whether its id is below that of Alice's daemon; `relay`: its only address."""
        listen = f"{relay}/p2p-circuit" if relay else self.way.peers
        return self.way.start(self.network, self.seed(smaller).hex(), listen)

    def seed(self, smaller: bool | None) -> bytes:
        daemon = str(self.alice.daemon.multiaddr).rpartition("/p2p/")[2]
        while True:
            seed = os.urandom(32)
            peer = PeerIdentity(seed).peer
            # Of two ids that differ, the order of the bytes is that of their base58, which is as long.
            if smaller is None or (text_order(peer_text(peer)) < text_order(daemon)) == smaller:
                return seed

    async def met(self, peer: Stranger, wallet: Wallet | None = None) -> None:
        """The peer dials a daemon that follows the signers' topic, and knows that it does."""
        wallet = wallet or self.alice
        await wallet.call("subscribeToSignerDiscovery", **SPEND)
        connected = await peer.do("connect", addr=wallet.daemon.multiaddr)
        assert ("/ws" in connected["over"]) == (self.way.daemons == "/ws")
        await peer.do("followed")


Step: TypeAlias = Callable[[World], Awaitable[None]]


@asynccontextmanager
async def world(root: Path, way: Way, count: int = 2) -> AsyncIterator[World]:
    """So many daemons of one network, ended when the block is left."""
    network = f"test-{secrets.token_hex(4)}"
    made = [Vessel(root, name, network) for name in NAMES[:count]]
    try:
        for vessel in made:
            vessel.way = way.daemons
            vessel.environment["MUSIGD_DRAIN_MS"] = "500"
        await start_together(made)
        yield World(root, made, network, way)
    finally:
        for vessel in made:
            await vessel.close()


def text_order(text: str) -> list[int]:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    return [alphabet.index(letter) for letter in text]


async def keys_known(wallet: Wallet) -> set[str]:
    found = await wallet.call("findAvailableSigners", transactionType="spend")
    return {signer["publicKey"] for signer in found["signers"]}


def assert_blameless(*peers: Stranger) -> None:
    """None of them found anything wrong with others."""
    for peer in peers:
        if peer.faults:
            raise Failed(f"found wrong with others: {peer.faults}")


async def found(wallet: Wallet, *keys: str) -> None:
    """Wait until the wallet was told of each of these signers."""
    times = 1
    while True:
        told = await wallet.heard("signer:discovered", times)
        if set(keys) <= {data["advertisement"]["publicKey"] for data in told}:
            return
        times = len(told) + 1


async def own_key(wallet: Wallet, scheme: str) -> str:
    """A key of the wallet's daemon that is advertised."""
    key = (await wallet.call("createKey", scheme=scheme))["publicKey"]
    await wallet.call("advertiseSigner", publicKey=key, criteria=SPEND)
    return str(key)


async def signed_by(wallets: list[Wallet], keys: list[str], peers: list[tuple[Stranger, str]], scheme: str) -> None:
    """The first wallet asks all, with and without a tweak; everybody ends with the same signatures, and they verify."""
    asker, *others = wallets
    items: list[dict[str, Any]] = [
        {"message": secrets.token_hex(32)},
        {"message": secrets.token_hex(32), "tweaks": TAPROOT},
    ]
    required = [*keys, *(key for _, key in peers)]
    asked = await asker.call("announceSigningRequest", requiredPublicKeys=required, publicKey=keys[0], messages=items)
    request = asked["requestId"]
    for wallet, key in zip(others, keys[1:], strict=True):
        await wallet.heard("signing-request:received", requestId=request)
        await wallet.call("joinSigningRequest", requestId=request, publicKey=key)
    answers = [await wallet.call("getFinalSignature", requestId=request, waitMs=60_000) for wallet in wallets]
    for peer, _ in peers:
        told = await peer.heard(said="signed", request=request)
        assert told["signatures"] == answers[0]["signatures"]
        assert told["attempt"] == 1
        assert_blameless(peer)
    assert all(answer["signatures"] == answers[0]["signatures"] for answer in answers)
    rules = musig2.scheme(scheme)
    sorted_keys = rules.key_sort([bytes.fromhex(key) for key in required])
    for item, signature in zip(items, answers[0]["signatures"], strict=True):
        tweaks = (musig2.Tweak(musig2.TweakKind.TAPROOT),) if "tweaks" in item else ()
        aggregate = rules.key_agg(sorted_keys, tweaks).aggpubkey
        assert rules.schnorr_verify(aggregate, bytes.fromhex(item["message"]), bytes.fromhex(signature))
