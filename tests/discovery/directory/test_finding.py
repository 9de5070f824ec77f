"""findAvailableSigners: every filter, a stable order, pages; and reputation as this daemon saw it."""

from __future__ import annotations

import math
import random
import secrets
from typing import Any

import pytest

from daemon.discovery.directory.reputation import EPOCH_MS, HALF_LIFE_MS, at_least, growth, score_of
from daemon.errors import Refused
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Node
from tests.discovery.directory.test_quotas import address
from tests.discovery.discovery_world import DAY_MS, Daemon, Signer, World, push_of, until

ADDRESSES = tuple(address(7, number)[0] for number in range(20))
TYPES = ("channel", "coinjoin", "custody", "escrow", "spend", "swap")


async def many(daemon: Daemon, count: int) -> list[dict[str, Any]]:
    """Advertisements with all sorts of terms; what each says, newest first."""
    dice = random.Random(7)
    said, statements = [], []
    for number in range(count):
        signer = Signer(dice.choice(("lotus", "bip340")))
        low = dice.choice((None, 0, 100, 5_000))
        high = dice.choice((None, 5_000, 9_000))
        terms = {
            "types": tuple(sorted(dice.sample(TYPES, dice.randint(1, 3)))),
            "metadata": {"purpose": dice.choice(("Savings", "market"))} if dice.random() < 0.7 else {},
            **({} if low is None else {"min": low}),
            **({} if high is None else {"max": high}),
        }
        ts = daemon.clock.wall_ms() - number
        statements.append(signer.advertise(ts, **terms))
        said.append({"key": signer.pubkey.hex(), "scheme": signer.scheme, **terms})
    for start in range(0, count, 100):
        await daemon.service.traffic.on_ask(bytes(38), push_of(*statements[start : start + 100]))
    return said


def fits(said: dict[str, Any], query: dict[str, Any]) -> bool:
    """The rule of the API, written independently."""
    low, high = said.get("min", 0), said.get("max", 2**53)
    return (
        query.get("transactionType", said["types"][0]) in said["types"]
        and query.get("scheme", said["scheme"]) == said["scheme"]
        and ("purpose" not in query or said["metadata"].get("purpose", "").lower() == query["purpose"].lower())
        and all(low <= query[bound] <= high for bound in ("minAmount", "maxAmount") if bound in query)
    )


async def test_every_combination_of_filters_gives_what_the_rule_says(world: World) -> None:
    daemon = await world.daemon()
    said = await many(daemon, 300)
    for wanted in ({}, {"transactionType": "swap"}, {"transactionType": "unheard-of"}):
        for scheme in ({}, {"scheme": "bip340"}):
            for purpose in ({}, {"purpose": "savings"}, {"purpose": "none"}):
                for amounts in ({}, {"minAmount": 50}, {"maxAmount": 9_500}, {"minAmount": 100, "maxAmount": 5_000}):
                    query: dict[str, Any] = {**wanted, **scheme, **purpose, **amounts}
                    found = (await daemon.find(maxResults=500, **query))["signers"]
                    assert [one["publicKey"] for one in found] == [one["key"] for one in said if fits(one, query)]


async def test_pages_are_disjoint_complete_and_newest_first(world: World) -> None:
    daemon = await world.daemon()
    said = await many(daemon, 130)
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await daemon.find(maxResults=50, **cursor)
        seen += [one["publicKey"] for one in page["signers"]]
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == [one["key"] for one in said]


async def test_a_cursor_that_was_not_made_here_is_refused(world: World) -> None:
    daemon = await world.daemon()
    for cursor in ("1", "a.b", "1.-2", "\u0661.\u0662", "9" * 300 + ".1", "18446744073709551616.1"):
        with pytest.raises(Refused) as refusal:
            await daemon.find(cursor=cursor)
        assert refusal.value.reason == "invalid_params"


async def test_own_keys_are_shown_only_when_asked_for(world: World) -> None:
    daemon = await world.daemon()
    key = daemon.keys.create()
    await daemon.advertise(key)
    assert await daemon.found() == set()
    (own,) = (await daemon.find(includeOwn=True))["signers"]
    assert own["own"] is True


async def test_reputation_is_what_this_daemon_saw_and_not_what_a_signer_claims(world: World) -> None:
    daemon = await world.daemon()
    good, bad, absent, boaster = (Signer() for _ in range(4))
    now = world.clock.wall
    claims = {"reputation": {"score": 100}}
    statements = [signer.advertise(now) for signer in (good, bad, absent)]
    await daemon.service.traffic.on_ask(bytes(38), push_of(*statements, boaster.advertise(now, metadata=claims)))
    for _ in range(10):
        daemon.service.signers.record_outcome(good.pubkey, "completed", 120)
        daemon.service.signers.record_outcome(bad.pubkey, "completed")
        daemon.service.signers.record_outcome(absent.pubkey, "aborted")
    daemon.service.signers.record_outcome(bad.pubkey, "failed")
    await until(lambda: daemon.service._observations.written == 31)
    shown = {one["publicKey"]: one.get("localReputation") for one in (await daemon.find())["signers"]}
    assert shown[good.pubkey.hex()] == {
        "score": 83,
        "completed": 10,
        "failed": 0,
        "aborted": 0,
        "responseTime": 120,
    }
    assert (seen := shown[bad.pubkey.hex()]) is not None
    assert seen["score"] == 45
    assert shown[absent.pubkey.hex()] == {"score": 0, "completed": 0, "failed": 0, "aborted": 10}
    assert shown[boaster.pubkey.hex()] is None
    assert await daemon.found(minReputation=1) == {good.pubkey.hex(), bad.pubkey.hex()}
    assert await daemon.found(minReputation=83, transactionType="swap") == {good.pubkey.hex()}
    assert await daemon.found(minReputation=84) == set()


def test_a_clock_that_is_a_century_ahead_gives_finite_weights_and_scores() -> None:
    century_ms = EPOCH_MS + 100 * 365 * 24 * 3_600_000
    for now_ms in (century_ms, 10 * century_ms, 2**53):
        weight = growth(now_ms)
        assert math.isfinite(3 * weight)
        assert score_of(3 * weight, 0.0, now_ms) == 60
        assert all(math.isfinite(factor) for factor in at_least(50, now_ms))


async def test_old_evidence_fades(world: World) -> None:
    daemon, signer = await world.daemon(), Signer()
    for _ in range(8):
        daemon.service.signers.record_outcome(signer.pubkey, "completed")
    await until(lambda: daemon.service._observations.written == 8)
    for expected in (80, 67, 50, 33, 20):
        await daemon.service.traffic.on_ask(bytes(38), push_of(signer.advertise(world.clock.wall)))
        (shown,) = (await daemon.find())["signers"]
        assert shown["localReputation"]["score"] == expected
        assert shown["localReputation"]["completed"] == 8
        world.clock.forward(HALF_LIFE_MS)
    assert HALF_LIFE_MS == 30 * DAY_MS


async def test_the_addresses_of_a_peer_come_from_all_that_it_signed_newest_first(world: World) -> None:
    daemon, now, peer = await world.daemon(), world.clock.wall, PeerIdentity(secrets.token_bytes(32))
    old, new = Signer(peer=peer), Signer(peer=peer)
    node = Node(peer.peer, (ADDRESSES[1], ADDRESSES[2]), ("directory",), now - 2_000, now + DAY_MS)
    said = (
        old.advertise(now - 3_000, addrs=(ADDRESSES[0],)),
        (seal(node, peer.sign), None),
        new.advertise(now - 1_000, addrs=(ADDRESSES[3], ADDRESSES[1])),
    )
    await daemon.service.traffic.on_ask(bytes(38), push_of(*said))
    assert daemon.service.signers.addresses_of(peer.peer) == tuple(ADDRESSES[number] for number in (3, 1, 2, 0))
    assert daemon.service.signers.addresses_of(bytes(38)) == ()
    world.clock.forward(2 * DAY_MS)
    assert daemon.service.signers.addresses_of(peer.peer) == ()


async def test_a_peer_has_at_most_sixteen_addresses(world: World) -> None:
    daemon, now, peer = await world.daemon(), world.clock.wall, PeerIdentity(secrets.token_bytes(32))
    said = [Signer(peer=peer).advertise(now, addrs=(address,)) for address in ADDRESSES]
    await daemon.service.traffic.on_ask(bytes(38), push_of(*said))
    assert len(said) > len(daemon.service.signers.addresses_of(peer.peer)) == 16
