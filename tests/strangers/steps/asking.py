"""The peer asks, daemons join."""

from __future__ import annotations

from typing import Any

import musig2
from daemon.demo.wallet import Wallet, check_request
from tests.strangers.stranger import Stranger
from tests.strangers.world import SCHEMES, SPEND, World, assert_blameless, found, own_key


async def asked(peer: Stranger, key: str, others: list[str], **values: Any) -> dict[str, Any]:
    """What it asked: request, messages, aggregate."""
    await peer.do("pull")
    return await peer.do("ask", key=key, others=others, **values)


async def joined(wallet: Wallet, key: str, request: str, *, shows: bool) -> None:
    """The wallet joins, after it has looked at the transaction if one is shown."""
    await wallet.heard("signing-request:received", requestId=request)
    if shows:
        check_request(await wallet.call("getSigningRequest", requestId=request))
    await wallet.call("joinSigningRequest", requestId=request, publicKey=key)


async def everybody_signed(peer: Stranger, wallets: list[Wallet], made: dict[str, Any], scheme: str) -> None:
    """All have the same signatures, and they verify."""
    told = await peer.heard(said="signed", request=made["request"])
    for wallet in wallets:
        answer = await wallet.call("getFinalSignature", requestId=made["request"], waitMs=60_000)
        assert answer["signatures"] == told["signatures"]
    aggregate = bytes.fromhex(made["aggregate"])
    for message, signature in zip(made["messages"], told["signatures"], strict=True):
        assert musig2.scheme(scheme).schnorr_verify(aggregate, bytes.fromhex(message), bytes.fromhex(signature))
    assert_blameless(peer)


async def it_asks_with_and_without_a_transaction(world: World) -> None:
    wallets = [world.alice, world.bob]
    for scheme in SCHEMES:
        keys = [await own_key(wallet, scheme) for wallet in wallets]
        async with world.peer() as peer:
            await world.met(peer)
            await peer.do("connect", addr=world.bob.daemon.multiaddr)
            own = (await peer.do("advertise", scheme=scheme, how="push"))["key"]
            for shows in (False, True):
                made = await asked(peer, own, keys, shows=shows)
                for wallet, key in zip(wallets, keys, strict=True):
                    await joined(wallet, key, made["request"], shows=shows)
                await everybody_signed(peer, wallets, made, scheme)


async def what_was_asked_while_it_was_away_is_found_by_a_notice(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
        await world.bob.call("subscribeToSignerDiscovery", **SPEND)
        await found(world.bob, key)
        await peer.do("hangUp")
        own = await own_key(world.bob, "lotus")
        request = await world.bob.call(
            "announceSigningRequest", requiredPublicKeys=[own, key], publicKey=own, message="11" * 32
        )
        await peer.do("connect", addr=world.alice.daemon.multiaddr)
        await peer.do("pullNotice")
        noticed = await peer.do("fetchNoticed")
        assert noticed["from"] == [world.vessels[1].peer]
        told = await peer.heard(said="signed", request=request["requestId"])
        answer = await world.bob.call("getFinalSignature", requestId=request["requestId"], waitMs=60_000)
        assert answer["signatures"] == told["signatures"]
