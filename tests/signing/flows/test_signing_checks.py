"""A message beside a transaction: what is announced, what joiners see, and what they cannot join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from daemon.demo.spend import Spend, spend_from
from musig2.protocol.review.findings import Review
from rpc.errors import ApiError
from tests.refusals import places_of
from tests.signing.signing_world import Daemon, World, announce, signatures

KEY_PATH = [{"taprootMerkleRoot": None}]


class BelievesEverything:
    """The policy of a daemon that is old, or not honest: nothing is checked before a join."""

    def check_join(self, review: Review, pubkey: bytes, *, require_checked: bool = False) -> None:
        pass


def spend_of(signers: Sequence[Daemon], inputs: int = 1, tweaks: Sequence[Any] = KEY_PATH) -> Spend:
    """A transaction that spends outputs of the aggregate key of these signers."""
    from musig2 import scheme
    from musig2.chain.address import script_pubkey
    from rpc.convert import tweaks_of
    from rpc.models.transactions.tweaks import MessageItem

    name = signers[0].keystore.scheme_of(signers[0].key)
    item = MessageItem.model_validate({"message": "00" * 32, "tweaks": list(tweaks)})
    keys = tuple(sorted(signer.key for signer in signers))
    agg = scheme(name).key_agg(keys, tweaks_of(item.tweaks)).aggpubkey
    return spend_from(name, script_pubkey(name, agg), inputs)


def shown(spend: Spend) -> dict[str, Any]:
    return {
        "transactionHex": spend.transaction.serialize().hex(),
        "spentOutputs": [{"value": out.value, "script": out.script_pubkey.hex()} for out in spend.spent],
    }


def items_of(spend: Spend) -> list[dict[str, Any]]:
    return [{"message": msg.hex(), "tweaks": KEY_PATH, "inputIndex": index} for index, msg in enumerate(spend.messages)]


async def ask(creator: Daemon, signers: Sequence[Daemon], **params: Any) -> dict[str, Any]:
    keys = [signer.key.hex() for signer in signers]
    return await creator.call("announceSigningRequest", publicKey=creator.key.hex(), requiredPublicKeys=keys, **params)


async def refusal(daemon: Daemon, method: str, **params: Any) -> dict[str, Any]:
    with pytest.raises(ApiError) as caught:
        await daemon.call(method, **params)
    (found,) = places_of(caught.value)
    return {"code": caught.value.code, "path": found["path"], **caught.value.data}


async def received(daemon: Daemon, request: str) -> dict[str, Any]:
    """The request as the event shows it, which is how the list and the getter show it too."""
    told = (await daemon.until("signing-request:received", requestId=request)).data["request"]
    got = await daemon.call("getSigningRequest", requestId=request)
    assert got["messages"] == told["messages"]
    assert (await daemon.call("findSigningRequestsForMe"))["requests"][0]["messages"] == told["messages"]
    return dict(told)


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_a_spend_in_the_short_form_is_checked_and_signed(world: World, name: str) -> None:
    signers = await world.grow(2, name)
    spend = spend_of(signers)
    message = spend.messages[0].hex()
    asked = await ask(signers[0], signers, message=message, tweaks=KEY_PATH, inputIndex=0, metadata=shown(spend))
    seen = await received(signers[1], asked["requestId"])
    item = {"message": message, "tweaks": KEY_PATH, "inputIndex": 0, "checked": True}
    assert seen["messages"] == [item | {"aggregatedPublicKey": seen["aggregatedPublicKey"]}]
    joining = {"requestId": asked["requestId"], "publicKey": signers[1].key.hex(), "requireChecked": True}
    await signers[1].call("joinSigningRequest", **joining)
    assert len(await signatures(signers[1], asked["requestId"])) == 1


async def test_a_session_shows_the_review_before_and_after_the_join(world: World) -> None:
    signers = await world.grow(2)
    spend = spend_of(signers, 2)
    asked = await ask(signers[0], signers, messages=items_of(spend), metadata=shown(spend))
    await received(signers[1], asked["requestId"])
    before = await signers[1].call("getSession", sessionId=asked["sessionId"])
    await signers[1].call("joinSigningRequest", requestId=asked["requestId"], publicKey=signers[1].key.hex())
    after = await signers[1].call("getSession", sessionId=asked["sessionId"])
    for view in (before, after):
        assert [item["checked"] for item in view["messages"]] == [True, True]


async def test_a_join_that_requires_checks_refuses_a_bare_message(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    seen = await received(two, request)
    assert (seen["messages"][0]["checked"], seen["messages"][0]["uncheckedReason"]) == (False, "no_transaction")
    joining = {"requestId": request, "publicKey": two.key.hex()}
    refused = await refusal(two, "joinSigningRequest", **joining, requireChecked=True)
    assert (refused["code"], refused["reason"], refused["uncheckedReason"]) == (-32014, "unchecked", "no_transaction")
    await two.call("joinSigningRequest", **joining)
    assert await signatures(two, request)


async def test_an_unreadable_transaction_beside_a_named_input_is_not_announced(world: World) -> None:
    signers = await world.grow(2)
    spend = spend_of(signers)
    good, item = shown(spend), items_of(spend)[0]
    cases = {
        "metadata.transactionHex": {**good, "transactionHex": good["transactionHex"][:-2]},
        "metadata.spentOutputs": {"transactionHex": good["transactionHex"]},
    }
    for path, metadata in cases.items():
        refused = await refusal(
            signers[0],
            "announceSigningRequest",
            publicKey=signers[0].key.hex(),
            requiredPublicKeys=[signer.key.hex() for signer in signers],
            messages=[item],
            metadata=metadata,
        )
        assert (refused["code"], refused["reason"], refused["path"]) == (-32014, "transaction_unreadable", path)
    assert not signers[0].told("signing-request:created")


async def test_refusals_of_the_short_form_name_its_own_members(world: World) -> None:
    signers = await world.grow(2)
    spend = spend_of(signers)
    params: dict[str, Any] = {
        "publicKey": signers[0].key.hex(),
        "requiredPublicKeys": [signer.key.hex() for signer in signers],
        "message": spend.messages[0].hex(),
        "tweaks": KEY_PATH,
        "inputIndex": 0,
        "metadata": shown(spend),
    }
    for change, path in (
        ({"inputIndex": 1}, "inputIndex"),
        ({"tweaks": []}, "tweaks"),
        ({"message": "00" * 32}, "message"),
    ):
        refused = await refusal(signers[0], "announceSigningRequest", **(params | change))
        assert refused["path"] == path


async def test_an_input_index_beside_messages_is_a_mistake(world: World) -> None:
    one, two = await world.grow(2)
    with pytest.raises(ValueError, match="in messages each item has its own"):
        await announce(one, [one, two], inputIndex=0)


@pytest.mark.parametrize(
    ("damage", "reason", "unchecked"),
    [
        ({"transactionHex": "00"}, "transaction_unreadable", "transaction_unreadable"),
        ({"spentOutputs": []}, "transaction_unreadable", "transaction_unreadable"),
        ({"spentOutputs": None}, "transaction_unreadable", "transaction_unreadable"),
        ({"spentOutputs": [{"value": 1_000_000, "script": "51"}]}, "script_mismatch", "script_mismatch"),
        ({"sighashType": 0x1C}, "message_mismatch", "sighash_type"),
    ],
)
async def test_a_mismatch_from_a_daemon_without_checks_is_shown_and_not_joined(
    world: World, damage: dict[str, Any], reason: str, unchecked: str
) -> None:
    hostile = await world.add(policy=BelievesEverything())
    honest = await world.add()
    signers = [hostile, honest]
    spend = spend_of(signers)
    asked = await ask(hostile, signers, messages=items_of(spend), metadata=shown(spend) | damage)
    item = (await received(honest, asked["requestId"]))["messages"][0]
    assert (item["checked"], item["uncheckedReason"]) == (False, unchecked)
    assert item["uncheckedMessage"]
    refused = await refusal(honest, "joinSigningRequest", requestId=asked["requestId"], publicKey=honest.key.hex())
    assert (refused["code"], refused["reason"], refused["uncheckedReason"]) == (-32014, reason, unchecked)
    declining = {"requestId": asked["requestId"], "publicKey": honest.key.hex()}
    assert await honest.call("declineSigningRequest", **declining) == {"declined": True}
