"""A key that is asked for under the scheme it does not sign: refused where that is known, declined where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from rpc.errors import ApiError
from tests.daemon_ops.ops_world import secret_bytes
from tests.refusals import places_of
from tests.signing.signing_world import Daemon, World, announce


async def mixed(world: World) -> tuple[Daemon, Daemon]:
    """A daemon with a lotus key, and one with a bip340 key."""
    return await world.add("lotus"), await world.add("bip340")


async def refusal(creator: Daemon, other: Daemon) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await announce(creator, [creator, other])
    return caught.value


async def passphrase_of(daemon: Daemon) -> str:
    return (daemon.folder / "passphrase").read_text().strip()


async def test_a_key_that_is_advertised_under_the_other_scheme_is_not_asked(world: World) -> None:
    lotus, bip340 = await mixed(world)
    world.book.schemes[bip340.key] = ("bip340",)
    error = await refusal(lotus, bip340)
    assert (error.reason, error.data["publicKey"]) == ("scheme_mismatch", bip340.key.hex())
    assert places_of(error)[0]["path"] == "requiredPublicKeys[1]"
    assert not lotus.told("signing-request:created")


async def test_a_key_that_is_advertised_under_both_schemes_is_asked(world: World) -> None:
    one, two = await world.grow(2)
    world.book.schemes[two.key] = ("bip340", "lotus")
    assert (await announce(one, [one, two]))["requestId"]


async def test_the_creator_hears_at_once_that_a_key_signs_the_other_scheme(world: World) -> None:
    lotus, bip340 = await mixed(world)
    request = (await announce(lotus, [lotus, bip340]))["requestId"]
    declined = await lotus.until("signing-request:declined", requestId=request)
    assert (declined.data["publicKey"], declined.data["reason"]) == (bip340.key.hex(), "scheme_mismatch")
    await bip340.until("signing-request:declined", requestId=request)
    with pytest.raises(ApiError) as caught:
        await lotus.call("getFinalSignature", requestId=request)
    assert (caught.value.reason, caught.value.data["publicKey"]) == ("declined", bip340.key.hex())


async def test_the_third_signer_hears_of_it_too(world: World) -> None:
    lotus, bip340 = await mixed(world)
    third = await world.add("lotus")
    request = (await announce(lotus, [lotus, third, bip340]))["requestId"]
    declined = await third.until("signing-request:declined", requestId=request)
    assert declined.data["publicKey"] == bip340.key.hex()


async def test_a_key_whose_delegation_was_shown_is_not_asked_again(world: World) -> None:
    lotus, bip340 = await mixed(world)
    world.book.peers.pop(bip340.key)  # found by a notice: its daemon comes, and shows the delegation
    request = (await announce(lotus, [lotus, bip340]))["requestId"]
    await lotus.until("signing-request:declined", requestId=request)
    assert (await refusal(lotus, bip340)).reason == "scheme_mismatch"


async def test_a_locked_daemon_declines_when_its_keys_are_opened(world: World) -> None:
    lotus, bip340 = await mixed(world)
    passphrase = await passphrase_of(bip340)
    bip340.keystore.lock()
    request = (await announce(lotus, [lotus, bip340]))["requestId"]
    await bip340.until("signing-request:received", requestId=request)
    assert not bip340.told("signing-request:declined")
    await bip340.keystore.unlock(secret_bytes(passphrase))
    await lotus.until("signing-request:declined", requestId=request, publicKey=bip340.key.hex())


async def test_a_daemon_that_was_stopped_before_it_could_declines_when_it_is_back(world: World) -> None:
    lotus, bip340 = await mixed(world)
    bip340.keystore.lock()
    request = (await announce(lotus, [lotus, bip340]))["requestId"]
    await bip340.until("signing-request:received", requestId=request)
    await bip340.stop()
    assert lotus.told("signing-request:declined") == []
    await bip340.start()
    await lotus.until("signing-request:declined", requestId=request, publicKey=bip340.key.hex())


async def test_an_owner_who_declines_signs_with_the_scheme_of_the_key(world: World, monkeypatch: Any) -> None:
    lotus, bip340 = await mixed(world)
    monkeypatch.setattr(bip340.service._declines, "misfits", lambda turn, entry: None)
    request = (await announce(lotus, [lotus, bip340]))["requestId"]
    await bip340.until("signing-request:received", requestId=request)
    await bip340.call("declineSigningRequest", requestId=request, publicKey=bip340.key.hex(), reason="not mine")
    declined = await lotus.until("signing-request:declined", requestId=request)
    assert declined.data["reason"] == "not mine"
