"""A key that a stranger's request names can be deleted; one that has joined a request cannot, until that is over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from daemon.backend import USES_OF_A_KEY
from daemon.keys.errors import KeyInUse
from daemon.keys.ports import Use
from musig2.protocol.interface.inputs import Approved
from tests.signing.signing_world import Daemon, World, announce, join, signatures

ASKING = 'default = "ask"'


async def delete(daemon: Daemon, key: bytes, uses: Sequence[Use] = USES_OF_A_KEY) -> None:
    await daemon.keystore.delete(key, uses, lambda conn: None)
    daemon.service.own_keys.on_deleted(key)


async def test_a_request_that_only_names_a_key_does_not_keep_it_and_leaves_with_it(world: World) -> None:
    stranger, owner = await world.add(), await world.add(rules=ASKING)
    request = (await announce(stranger, [stranger, owner]))["requestId"]
    await owner.until("approval:needed", requestId=request)
    await delete(owner, owner.key)
    dropped = await owner.until("signing-request:dropped", requestId=request)
    assert dropped.data["publicKeys"] == [owner.key.hex()]
    assert (await owner.call("listPendingApprovals"))["pending"] == []
    await owner.stop()
    await owner.start()
    assert (await owner.call("findSigningRequestsForMe"))["requests"] == []


async def test_a_key_that_has_joined_or_made_a_request_is_kept_until_that_is_over(world: World) -> None:
    one, other, third = await world.grow(3)
    request = (await announce(one, [one, other, third]))["requestId"]
    await join(other, request)
    for signer in (one, other):
        with pytest.raises(KeyInUse, match="requests that it has joined"):
            await delete(signer, signer.key)
    await join(third, request)
    assert await signatures(other, request)
    assert third.keystore.keys() == (third.key,)


async def test_the_other_own_keys_of_a_request_still_sign_it(world: World) -> None:
    maker, owner = await world.add(), await world.add(keys=2)
    held = owner.keystore.keys()
    gone = next(key for key in held if key != owner.key)
    request = (await announce(maker, [maker, owner]))["requestId"]
    doomed = await maker.call(
        "announceSigningRequest",
        publicKey=maker.key.hex(),
        requiredPublicKeys=[maker.key.hex(), owner.key.hex(), gone.hex()],
        message="11" * 32,
    )
    await owner.until("signing-request:received", requestId=doomed["requestId"])
    await delete(owner, gone)
    await join(owner, doomed["requestId"])
    await join(owner, request)
    assert await signatures(owner, request)
    shown = await owner.call("getSigningRequest", requestId=doomed["requestId"])
    assert {each["publicKey"] for each in shown["signers"] if each["joined"]} == {maker.key.hex(), owner.key.hex()}


async def test_a_join_that_was_under_way_while_its_key_was_deleted_ends(world: World) -> None:
    stranger, owner = await world.grow(2)
    request = (await announce(stranger, [stranger, owner]))["requestId"]
    await owner.until("signing-request:received", requestId=request)
    await delete(owner, owner.key, uses=())
    owner.service.engine.feed(bytes.fromhex(request), Approved(owner.key, None))
    await owner.service.engine.turned()
    assert owner.keystore.keys() == ()
    assert not owner.told("signature:finalized")
