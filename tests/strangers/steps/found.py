"""The peer is found and finds: topics, directory, DHT."""

from __future__ import annotations

from tests.strangers.world import SPEND, World, assert_blameless, found, keys_known, own_key, signed_by


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


async def what_it_writes_to_the_dht_others_read(world: World) -> None:
    async with world.peer() as peer, world.peer() as other:
        await world.met(peer)
        await world.met(other)
        key = (await peer.do("advertise", scheme="lotus", how="push"))["key"]
        for newer in (False, False, True):
            put = await peer.do("put", key=key, newer=newer)
        found = (await other.do("find", key=key))["found"]
        assert {(record["publicKey"], record["ts"]) for record in found} == {(key, put["ts"])}
        theirs = await own_key(world.alice, "lotus")
        found = (await peer.do("find", key=theirs))["found"]
        assert found[0]["publicKey"] == theirs


async def a_key_that_only_stands_in_the_dht_is_asked_and_signs(world: World) -> None:
    async with world.peer() as peer:
        await world.met(peer)
        key = (await peer.do("advertise", scheme="bip340", how="nowhere"))["key"]
        await peer.do("put", key=key, newer=False)
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
