"""How the peer and a daemon are connected: which of two streams, and through a relay."""

from __future__ import annotations

from tests.e2e.vessels import Vessel
from tests.strangers.world import SPEND, World, found, own_key, signed_by


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
    relay = Vessel(world.root, "Relay", world.network)
    relay.way = world.way.daemons
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
