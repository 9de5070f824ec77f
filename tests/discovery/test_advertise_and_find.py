"""A key advertised on one daemon is found on another: over topics, by push, and by synchronisation."""

from tests.discovery.discovery_world import DAY_MS, World, until


async def test_an_advertisement_is_discovered_by_a_connected_daemon(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await bob.follow("swap")
    key = alice.keys.create()
    shown = await alice.advertise(key, metadata={"nickname": "Alice", "fees": 12})
    await until(lambda: bob.named("signer:discovered"))
    (event,) = bob.named("signer:discovered")
    assert event["renewed"] is False
    assert event["advertisement"]["publicKey"] == key.hex()
    assert event["advertisement"]["envelope"] == shown["envelope"]
    assert shown["own"] is True
    assert shown["reach"]["direct"] == 1
    (found,) = (await bob.find(transactionType="swap"))["signers"]
    assert found["metadata"] == {"nickname": "Alice", "fees": 12}
    assert found["multiaddrs"][0].endswith("/p2p/" + found["peerId"])
    assert found["expiresAt"] - found["timestamp"] == DAY_MS


async def test_a_late_joiner_finds_everything_also_when_the_advertiser_has_left(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    keys = [alice.keys.create("bip340" if index % 2 else "lotus") for index in range(15)]
    for key in keys:
        await alice.advertise(key)
    await until(lambda: bob.lines() == 15)
    world.wire.cut(alice.net, bob.net)
    carol = await world.daemon(bob)
    await until(lambda: carol.lines() == 15)
    assert await carol.found() == {key.hex() for key in keys}


async def test_revision_moves_with_every_statement_and_only_then(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create()
    revisions = [(await alice.find())["revision"]]
    await alice.advertise(key)
    revisions.append((await alice.find())["revision"])
    assert (await alice.find())["revision"] == revisions[-1], "looking changes nothing"
    await alice.withdraw(key)
    revisions.append((await alice.find())["revision"])
    assert len(set(revisions)) == 3
