"""Lists under spam: known creators come first, filters find the rest, and unwanted requests stay away."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import pytest

from rpc.caller import Caller, Scope
from rpc.errors import ApiError
from tests.signing.signing_world import Daemon, World, announce, join, signatures

SPAM = 10_000
CREATORS = 500


async def spam(daemon: Daemon, envelope: str, count: int) -> None:
    """Store that many open requests of strangers; all have the same envelope."""

    def fill(conn: sqlite3.Connection) -> None:
        creators = [b"\x02" + os.urandom(32) for _ in range(min(count, CREATORS))]
        rows = [(os.urandom(32), creators[number % len(creators)]) for number in range(count)]
        conn.executemany(
            "INSERT INTO signing_requests (request, scheme, envelope, creator, expires, received, source, outcome)"
            f" VALUES (?, 'lotus', x'{envelope}', ?, 4000000000000, 1, x'00', 'open')",
            rows,
        )
        keys = [(request, place, key) for request, creator in rows for place, key in enumerate((creator, daemon.key))]
        conn.executemany("INSERT INTO signing_keys (request, position, key, own) VALUES (?, ?, ?, 0)", keys)

    await daemon.store.write(fill)


async def signed_once(one: Daemon, two: Daemon) -> None:
    """Let two daemons sign once, so that they know each other."""
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    await signatures(one, request)
    await signatures(two, request)
    await one.world.book.until(one.key, "completed")
    await one.world.book.until(two.key, "completed")


async def asked_by(creator: Daemon, signer: Daemon) -> str:
    """A new request that has arrived at the signer."""
    request: str = (await announce(creator, [creator, signer]))["requestId"]
    await signer.until("signing-request:received", requestId=request)
    return request


async def listed(daemon: Daemon, caller: Caller | None = None, **params: Any) -> list[str]:
    answer = await daemon.call("findSigningRequestsForMe", caller, **params)
    return [request["requestId"] for request in answer["requests"]]


async def test_an_honest_request_behind_ten_thousand_of_spam_is_found_in_one_call(world: World) -> None:
    one, two = await world.grow(2)
    await signed_once(one, two)
    honest = await asked_by(one, two)
    envelope = (await two.call("getSigningRequest", requestId=honest))["envelope"]
    await spam(two, envelope, SPAM)

    found = await two.call("findSigningRequestsForMe", limit=1)

    assert [request["requestId"] for request in found["requests"]] == [honest]
    assert found["knownCreators"] == [one.key.hex()]


async def test_pages_show_known_creators_first_and_each_request_once(world: World) -> None:
    one, two, three = await world.grow(3)
    await signed_once(one, two)
    requests = [await asked_by(creator, two) for creator in (three, one, three, one, three)]
    pages: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = await two.call("findSigningRequestsForMe", limit=2, **cursor)
        pages += [request["requestId"] for request in page["requests"]]
        cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else {}

    assert pages == [requests[place] for place in (3, 1, 4, 2, 0)]
    assert cursor == {}


async def test_lists_filter_by_creator_and_by_reputation(world: World) -> None:
    one, two, three = await world.grow(3)
    await signed_once(one, two)
    of_one, of_three = await asked_by(one, two), await asked_by(three, two)

    assert await listed(two, creators=[three.key.hex()]) == [of_three]
    assert await listed(two, minReputation=30) == [of_one]
    assert await listed(two, minReputation=90) == []
    assert await listed(two) == [of_one, of_three]


async def test_a_dismissed_request_stays_away_until_it_is_brought_back(world: World) -> None:
    one, two = await world.grow(2)
    request = await asked_by(one, two)

    await two.call("dismissRequest", requestId=request)
    await two.stop()
    await two.start()

    assert await listed(two) == []
    assert await listed(two, includeHidden=True) == [request]
    assert (await two.until("signing-request:dismissed", requestId=request)).data["dismissed"] is True
    await two.call("dismissRequest", requestId=request, dismissed=False)
    assert await listed(two) == [request]


async def test_a_dismissed_request_that_is_joined_after_all_is_in_the_list_again(world: World) -> None:
    one, two, three = await world.grow(3)
    request = (await announce(one, [one, two, three]))["requestId"]
    await two.until("signing-request:received", requestId=request)
    await two.call("dismissRequest", requestId=request)
    await join(two, request)

    assert await listed(two) == [request]
    with pytest.raises(ApiError) as caught:
        await two.call("dismissRequest", requestId=request)
    assert caught.value.reason == "wrong_phase"


async def test_requests_of_a_muted_creator_are_hidden_and_no_more_are_taken(world: World) -> None:
    one, two, three = await world.grow(3)
    before = await asked_by(one, two)

    await two.call("muteCreator", publicKey=one.key.hex())
    await two.stop()
    await two.start()
    await announce(one, [one, two])
    other = await asked_by(three, two)

    assert await listed(two) == [other]
    assert set(await listed(two, includeHidden=True)) == {other, before}
    (row,) = (await two.call("listMutedCreators"))["creators"]
    assert row["publicKey"] == one.key.hex()
    await two.call("unmuteCreator", publicKey=one.key.hex())
    after = await asked_by(one, two)
    assert set(await listed(two)) >= {other, before, after}
    assert (await two.call("listMutedCreators"))["creators"] == []


async def test_what_a_token_bound_to_keys_mutes_and_dismisses_stays_in_the_lists_of_others(world: World) -> None:
    one, two = await world.grow(2)
    other = await two.new_key("lotus")
    bound = Caller("bound", frozenset({Scope.READ, Scope.SIGN}), frozenset({other}), create_key=False)
    keys = [one.key.hex(), two.key.hex(), other.hex()]
    request = (
        await one.call(
            "announceSigningRequest", publicKey=one.key.hex(), requiredPublicKeys=keys, message=os.urandom(32).hex()
        )
    )["requestId"]
    await two.until("signing-request:received", requestId=request)

    await two.call("dismissRequest", bound, requestId=request)
    assert (await listed(two, bound), await listed(two)) == ([], [request])
    await two.call("dismissRequest", bound, requestId=request, dismissed=False)
    await two.call("muteCreator", bound, publicKey=one.key.hex())
    assert (await listed(two, bound), await listed(two)) == ([], [request])
    (row,) = (await two.call("listMutedCreators", bound))["creators"]
    assert row["forPublicKeys"] == [other.hex()]


async def test_an_own_key_cannot_be_muted(world: World) -> None:
    (one,) = await world.grow(1)
    with pytest.raises(ApiError) as caught:
        await one.call("muteCreator", publicKey=one.key.hex())
    assert caught.value.reason == "invalid_params"
