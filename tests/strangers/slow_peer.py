"""The JavaScript peer among real daemons: found, heard, asked, and one of those who sign.

python -m tests.strangers.slow_peer [WORD IN A STEP'S NAME]
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import musig2
from daemon.demo.wallet import Wallet, WalletFailed
from musig2.protocol.records.peers import PeerIdentity, peer_text
from tests.e2e.fleet import Fleet, fleet
from tests.e2e.vessels import Vessel
from tests.strangers.stranger import Failed, Stranger, stranger, with_libp2p

SCHEMES = ("lotus", "bip340")
SPEND = {"transactionTypes": ["spend"]}
TAPROOT: list[dict[str, str | None]] = [{"taprootMerkleRoot": None}]


class World:
    """Two daemons with their wallets, and where the peer's programs are."""

    def __init__(self, made: Fleet, root: Path, program: str, folder: Path) -> None:
        self.made, self.root, self.program, self.folder = made, root, program, folder
        self.alice, self.bob = made.wallets

    def peer(self, smaller: bool | None = None, *, relay: str = "") -> Any:
        """A peer of its own; `smaller`: whether its id is below that of Alice's daemon; `relay`: its only address."""
        listen = (f"{relay}/p2p-circuit",) if relay else ()
        return stranger(self.program, self.folder, self.made.network, self.seed(smaller).hex(), *listen)

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
        await peer.do("connect", addr=wallet.daemon.multiaddr)
        await peer.do("followed")


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


async def it_is_found_by_a_push_and_by_gossip(world: World) -> None:
    await world.bob.call("subscribeToSignerDiscovery", **SPEND)
    async with world.peer() as peer:
        await world.met(peer)
        pushed = await peer.do("advertise", scheme="lotus", how="push")
        assert pushed["taken"] == 1
        assert pushed["key"] in await keys_known(world.alice)
        told = await peer.do("advertise", scheme="bip340", how="gossip")
        for wallet in (world.alice, world.bob):
            await found(wallet, pushed["key"], told["key"])
        assert_blameless(peer)


async def it_hears_a_daemon_by_gossip(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = await own_key(world.alice, "bip340")
        await peer.heard(said="heard", type="entry", publicKey=key)
        await peer.heard(said="heard", type="advertisement", publicKey=key)
        await world.alice.call("withdrawAdvertisement", publicKey=key)
        await peer.heard(said="heard", type="withdrawal", publicKey=key)
        assert_blameless(peer)


async def it_writes_and_reads_dht_records(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
        for newer in (False, False, True):
            put = await peer.do("put", key=key, newer=newer)
            assert put["failed"] == []
            assert put["accepted"] >= 1
        async with world.peer() as other:
            await world.met(other)
            found = (await other.do("find", key=key))["found"]
            assert {(record["publicKey"], record["ts"]) for record in found} == {(key, put["ts"])}
        forged = await peer.do("forge", key=key)
        assert forged["accepted"] == 0
        assert forged["failed"]
        theirs = await own_key(world.alice, "lotus")
        found = (await peer.do("find", key=theirs))["found"]
        assert found[0]["publicKey"] == theirs


async def a_key_that_only_stands_in_the_dht_is_asked_and_signs(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="bip340", how="nowhere"))["key"]
        assert (await peer.do("put", key=key, newer=False))["accepted"] >= 1
        assert key not in await keys_known(world.bob)
        await signed_by([world.bob], [await own_key(world.bob, "bip340")], [(peer, key)], "bip340")


async def it_reads_a_directory_and_is_read(world: World) -> None:
    async with world.peer() as peer:
        key = await own_key(world.bob, "lotus")
        await world.met(peer, world.bob)
        pulled = await peer.do("pull")
        assert f"advertisement {key}" in pulled["lines"]
        assert pulled["count"] == len(pulled["lines"])
        kept = await peer.do("advertise", scheme="lotus", how="own")
        assert kept["taken"] == "greeting"
        await found(world.bob, kept["key"])
        asked = {told["op"] for told in peer.said if told["said"] == "question"}
        assert asked & {"page", "since", "reconcile"}
        assert_blameless(peer)


async def it_signs_as_one_of_two_and_of_three(world: World) -> None:
    for scheme in SCHEMES:
        alice, bob = await own_key(world.alice, scheme), await own_key(world.bob, scheme)
        async with world.peer() as peer:
            await world.met(peer)
            key = (await peer.do("advertise", scheme=scheme, how="push"))["key"]
            await signed_by([world.alice], [alice], [(peer, key)], scheme)
            await signed_by([world.alice, world.bob], [alice, bob], [(peer, key)], scheme)


async def two_of_it_sign_with_a_daemon(world: World) -> None:
    async with world.peer() as one, world.peer() as other:
        keys = []
        for peer in (one, other):
            await world.met(peer)
            keys.append((await peer.do("advertise", scheme="lotus", how="push"))["key"])
        alice = await own_key(world.alice, "lotus")
        await signed_by([world.alice], [alice], [(one, keys[0]), (other, keys[1])], "lotus")


async def of_two_streams_that_both_opened_the_smaller_peers_is_written(world: World) -> None:
    for smaller in (True, False):
        async with world.peer(smaller) as peer:
            await world.met(peer)
            key = (await peer.do("advertise", scheme="bip340", how="push"))["key"]
            own = await own_key(world.alice, "bip340")
            await signed_by([world.alice], [own], [(peer, key)], "bip340")  # the daemon opened one for its request
            before = await peer.do("links", protocol="session")
            assert before["smaller"] == smaller
            assert before["written"] == "theirs"
            await peer.do("openToo", protocol="session")
            kept = await peer.do("links", protocol="session")
            assert kept["written"] == ("own" if smaller else "theirs")
            await signed_by([world.alice], [own], [(peer, key)], "bip340")
            after = await peer.do("links", protocol="session")
            assert (after["own"], after["theirs"]) == (smaller, not smaller)
            await signed_by([world.alice], [own], [(peer, key)], "bip340")


async def behind_a_relay_it_is_reached_and_signs(world: World) -> None:
    relay = Vessel(world.root, "Relay", world.made.network)
    relay.environment["MUSIGD_P2P__RELAY_SERVICE"] = "true"
    try:
        await relay.start([world.alice.daemon.multiaddr])
        async with world.peer(relay=relay.multiaddr) as peer:
            (ready,) = [told for told in peer.said if told["said"] == "ready"]
            assert ready["addrs"] == [f"{relay.multiaddr}/p2p-circuit/p2p/{ready['peer']}"]
            wallet = await relay.open_wallet()
            await world.met(peer, wallet)
            key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
            await world.bob.call("subscribeToSignerDiscovery", **SPEND)
            await found(world.bob, key)
            await signed_by([world.bob], [await own_key(world.bob, "lotus")], [(peer, key)], "lotus")
            shown = (await world.bob.call("listPeers"))["peers"]
            (through,) = [each["relay"] for each in shown if each["peerId"] == ready["peer"]]
            assert through == relay.peer
    finally:
        await relay.close()


Step = Callable[[World], Awaitable[None]]
STEPS: tuple[Step, ...] = (
    it_is_found_by_a_push_and_by_gossip,
    it_hears_a_daemon_by_gossip,
    it_writes_and_reads_dht_records,
    a_key_that_only_stands_in_the_dht_is_asked_and_signs,
    it_reads_a_directory_and_is_read,
    it_signs_as_one_of_two_and_of_three,
    two_of_it_sign_with_a_daemon,
    of_two_streams_that_both_opened_the_smaller_peers_is_written,
    behind_a_relay_it_is_reached_and_signs,
)


async def holds(step: Step, root: Path, program: str, folder: Path) -> bool:
    """One step among two daemons of its own."""
    root.mkdir()
    name = step.__name__.replace("_", " ")
    try:
        async with fleet(root, 2) as made:
            await step(World(made, root, program, folder))
    except (AssertionError, Failed, TimeoutError, WalletFailed):
        traceback.print_exc()
        print(f"FAILS: {name}", flush=True)
        return False
    print(f"holds: {name}", flush=True)
    return True


async def main(word: str = "") -> None:
    program, folder = with_libp2p()
    with tempfile.TemporaryDirectory(prefix="musigd strangers ") as name:
        chosen = [step for step in STEPS if word in step.__name__]
        results = [await holds(step, Path(name) / step.__name__, program, folder) for step in chosen]
    raise SystemExit(not all(results))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
