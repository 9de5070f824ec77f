"""The peer is one of those who sign what a daemon asks."""

from __future__ import annotations

from tests.strangers.world import SCHEMES, World, own_key, signed_by


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
