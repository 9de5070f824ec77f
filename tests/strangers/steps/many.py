"""The peer among twenty signers, who meet at hubs."""

from __future__ import annotations

import secrets

from musig2.protocol.request.meeting.topology import hub_order, hubs_of
from tests.strangers.steps.asking import asked, everybody_signed
from tests.strangers.stranger import Stranger
from tests.strangers.world import World, assert_blameless, own_key

DAEMONS = 5
KEYS_EACH = 4


async def asked_of_twenty(world: World, keys: list[list[str]], peer: Stranger, key: str) -> bool:
    """The first daemon asks all keys of all daemons and the peer's; all sign. Whether the peer was one of the hubs."""
    every = [*(each for own in keys for each in own), key]
    wallets = [vessel.wallet for vessel in world.vessels]
    message = secrets.token_hex(32)
    asked_for = {"requiredPublicKeys": every, "publicKey": keys[0][0], "message": message}
    made = await wallets[0].call("announceSigningRequest", **asked_for)
    request = made["requestId"]
    for wallet, own in zip(wallets, keys, strict=True):
        if wallet is not wallets[0]:
            await wallet.heard("signing-request:received", requestId=request)
        for each in own:
            await wallet.call("joinSigningRequest", requestId=request, publicKey=each)
    answers = [await wallet.call("getFinalSignature", requestId=request, waitMs=60_000) for wallet in wallets]
    told = await peer.heard(said="signed", request=request)
    assert all(answer["signatures"] == told["signatures"] for answer in answers)
    assert told["attempt"] == 1
    assert_blameless(peer)
    in_order = sorted(every)
    owner = {each: number for number, own in enumerate(keys) for each in own}
    order = hub_order(bytes.fromhex(request), len(every), in_order.index(keys[0][0]))
    hubs = hubs_of(order, lambda index: bytes([owner.get(in_order[index], 255)]))
    return in_order.index(key) in hubs


async def of_twenty_signers_it_is_an_ordinary_one_and_a_hub(world: World) -> None:
    """Which one it is follows from the request's id, so it is asked until it was both."""
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="bip340", how="push"))["key"]
        keys = [[await own_key(vessel.wallet, "bip340") for _ in range(KEYS_EACH)] for vessel in world.vessels]
        keys[-1].pop()
        seen: set[bool] = set()
        while len(seen) < len({"a hub", "an ordinary signer"}):
            seen.add(await asked_of_twenty(world, keys, peer, key))


async def it_asks_nineteen_others(world: World) -> None:
    """As the creator it leads the hubs, and passes on what each says."""
    async with world.peer() as peer:
        for vessel in world.vessels:
            await world.met(peer, vessel.wallet)
        key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
        keys = [[await own_key(vessel.wallet, "lotus") for _ in range(KEYS_EACH)] for vessel in world.vessels]
        keys[-1].pop()
        made = await asked(peer, key, [each for own in keys for each in own])
        for vessel, own in zip(world.vessels, keys, strict=True):
            await vessel.wallet.heard("signing-request:received", requestId=made["request"])
            for each in own:
                await vessel.wallet.call("joinSigningRequest", requestId=made["request"], publicKey=each)
        await everybody_signed(peer, [vessel.wallet for vessel in world.vessels], made, "lotus")
