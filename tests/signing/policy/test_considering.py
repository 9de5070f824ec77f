"""Co-signers know whether the owner was asked: in the request, in events, and where a signature is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from musig2.protocol.records.records import Considering
from musig2.protocol.wire.frame_codec import open_frame
from musig2.protocol.wire.frames import Signed
from p2p.network import Work
from rpc.cli.people.review import review_text
from rpc.errors import ApiError
from tests.signing.memory_net import MAX_FRAME
from tests.signing.policy.test_approvals import ANNA, LARGE, approve
from tests.signing.policy.test_policy_flow import pay, two
from tests.signing.signing_world import Daemon, World, signatures


async def view(daemon: Daemon, request: str) -> dict[str, Any]:
    return await daemon.call("getSigningRequest", requestId=request)


def since(request: dict[str, Any]) -> dict[str, int]:
    return {each["publicKey"]: each["consideringSince"] for each in request["signers"] if "consideringSince" in each}


def sent(world: World) -> int:
    frames = (open_frame(data, max_bytes=MAX_FRAME) for _, _, data in world.hub.carried)
    return sum(isinstance(frame, Signed) and isinstance(frame.record, Considering) for frame in frames)


async def test_the_creator_sees_that_an_owner_was_asked_until_it_has_joined(world: World) -> None:
    creator, signer = signers = await two(world, LARGE)
    request = await pay(signers, 5_000)
    key = signer.key.hex()
    told = await creator.until("signing-request:considering", requestId=request)
    assert signer.net is not None
    assert signer.net.charged[creator.peer, Work.ROW] == 1
    assert told.data["publicKey"] == key
    shown = await view(creator, request)
    assert since(shown) == since(await view(signer, request)) == {key: told.data["consideringSince"]}
    assert "waits for its owner, asked" in review_text(shown)
    with pytest.raises(ApiError) as caught:
        await creator.call("getFinalSignature", requestId=request)
    assert (caught.value.data["waitingFor"], caught.value.data["considering"]) == ([key], [key])
    await creator.stop()
    await creator.start()
    assert since(await view(creator, request))
    world.hub.connect(creator.peer, signer.peer)
    await approve(signer, ANNA, request)
    assert len(await signatures(creator, request)) == 1
    assert since(await view(creator, request)) == {}
    assert len(creator.told("signing-request:considering")) == 1


async def test_a_creator_whose_peer_only_its_join_names_hears_it_too(world: World) -> None:
    creator, signer = signers = await two(world, LARGE)
    del world.book.peers[creator.key]
    request = await pay(signers, 5_000)
    told = await creator.until("signing-request:considering", requestId=request)
    assert told.data["publicKey"] == signer.key.hex()
    await approve(signer, ANNA, request)
    assert len(await signatures(creator, request)) == 1


async def test_nobody_is_told_where_the_owner_does_not_want_it(world: World) -> None:
    signers = [await world.add(), await world.add(rules=LARGE, shows_considering=False)]
    request = await pay(signers, 5_000)
    await signers[1].until("approval:needed", requestId=request)
    await approve(signers[1], ANNA, request)
    assert len(await signatures(signers[0], request)) == 1
    assert sent(world) == 0


async def test_what_a_rule_joins_or_refuses_by_itself_is_not_considered(world: World) -> None:
    rules = '[[rule]]\nname = "small"\nverdict = "join"\nmax_amount = 1_000\n'
    signers = await two(world, rules + '[[rule]]\nname = "none"\nverdict = "refuse"\nmin_amount = 1_000\n')
    assert len(await signatures(signers[0], await pay(signers, 1_000))) == 1
    request = await pay(signers, 5_000)
    await signers[0].until("signing-request:declined", requestId=request)
    assert sent(world) == 0
