"""The review of a request, as the API and the events show it to each wallet."""

from __future__ import annotations

from typing import Any

import pytest

from musig2.chain.address import address, address_of_script, key_scripts
from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.review.findings import SignedText
from musig2.protocol.review.texts import text_hash
from rpc.caller import Caller, Scope
from rpc.events.filter import Selection
from rpc.models.event_kinds import EVENTS
from tests.signing.flows.test_signing_checks import (
    KEY_PATH,
    BelievesEverything,
    ask,
    items_of,
    received,
    refusal,
    shown,
    spend_of,
)
from tests.signing.signing_world import Daemon, World, announce, signatures


async def review_at(daemon: Daemon, request: str) -> dict[str, Any]:
    """As the event shows it, and the getter, and the list."""
    told = await received(daemon, request)
    got = (await daemon.call("getSigningRequest", requestId=request))["review"]
    assert got == told["review"] == (await daemon.call("findSigningRequestsForMe"))["requests"][0]["review"]
    return dict(got)


@pytest.mark.parametrize("name", ["lotus", "bip340"])
async def test_a_checked_request_shows_its_transaction_in_amounts_and_addresses(world: World, name: str) -> None:
    signers = await world.grow(2, name)
    spend = spend_of(signers, 2)
    asked = await ask(signers[0], signers, messages=items_of(spend), metadata=shown(spend))
    found = await review_at(signers[1], asked["requestId"])
    agg = bytes.fromhex(asked["request"]["aggregatedPublicKey"])
    assert found["status"] == "checked"
    told = found["transaction"]
    assert {each["address"] for each in (*told["inputs"], *told["outputs"])} == {address(name, agg, "main")}
    assert [each["signed"] for each in told["inputs"]] == [True, True]
    assert [each["txid"] for each in told["inputs"]] == [spend.transaction.inputs[0].txid[::-1].hex()] * 2
    assert [each.get("returns") for each in told["outputs"]] == ["aggregate"]
    assert (told["inputAmount"] - told["outputAmount"], told["fee"]) == (1_000, 1_000)
    assert told["feeRate"] == -(-1_000_000 // told["size"])
    assert asked["request"]["review"] == found


async def test_blind_and_mismatch_say_why_and_show_no_transaction(world: World) -> None:
    one, two = await world.grow(2)
    blind = await review_at(two, (await announce(one, [one, two]))["requestId"])
    assert (blind["status"], blind["reason"], "transaction" in blind) == ("blind", "no_transaction", False)
    hostile = await world.add(policy=BelievesEverything())
    signers = [hostile, two]
    spend = spend_of(signers)
    wrong = [items_of(spend)[0] | {"message": "00" * 32}]
    asked = await ask(hostile, signers, messages=wrong, metadata=shown(spend))
    await two.until("signing-request:received", requestId=asked["requestId"])
    found = (await two.call("getSigningRequest", requestId=asked["requestId"]))["review"]
    assert (found["status"], found["reason"], "transaction" in found) == ("mismatch", "message_mismatch", False)
    assert "not the hash" in found["message"]
    joining = {"requestId": asked["requestId"], "publicKey": two.key.hex()}
    assert (await refusal(two, "joinSigningRequest", **joining))["reason"] == "message_mismatch"


async def test_an_item_without_its_input_beside_a_shown_transaction_is_blind(world: World) -> None:
    signers = await world.grow(2)
    spend = spend_of(signers)
    items = [{"message": spend.messages[0].hex(), "tweaks": KEY_PATH}]
    asked = await ask(signers[0], signers, messages=items, metadata=shown(spend))
    found = await review_at(signers[1], asked["requestId"])
    assert (found["status"], found["reason"], "transaction" in found) == ("blind", "no_input_index", False)


async def test_a_text_is_checked_shown_and_signed(world: World) -> None:
    signers = await world.grow(2)
    msg = text_hash(SignedText("signed-text/v1", "We own these coins.")).hex()
    metadata = {"messageText": "We own these coins."}
    asked = await ask(signers[0], signers, message=msg, metadata=metadata)
    found = await review_at(signers[1], asked["requestId"])
    assert found == {"status": "checked", "text": "We own these coins.", "textTag": "signed-text/v1"}
    joining = {"requestId": asked["requestId"], "publicKey": signers[1].key.hex()}
    await signers[1].call("joinSigningRequest", **joining, requireChecked=True)
    assert await signatures(signers[1], asked["requestId"])
    other = await refusal(
        signers[0],
        "announceSigningRequest",
        publicKey=signers[0].key.hex(),
        requiredPublicKeys=[signer.key.hex() for signer in signers],
        message=msg,
        metadata={"messageText": "We own those coins."},
    )
    assert (other["reason"], other["path"]) == ("message_mismatch", "message")


async def test_an_output_to_an_own_key_is_said_to_come_back_to_the_wallet_that_has_it_alone(world: World) -> None:
    one, two = await world.add("bip340", keys=2), await world.add("bip340")
    mine, neighbour = one.keystore.keys()
    spend = spend_of([one, two])
    script, change = spend.spent[0].script_pubkey, key_scripts("bip340", neighbour)[1]
    transaction = Transaction(2, (TxInput(bytes(32), 0),), (TxOutput(5, change), TxOutput(7, script)))
    msg = KeyPathSpend(transaction, spend.spent).bip341(0).hex()
    metadata = shown(spend) | {"transactionHex": transaction.serialize().hex()}
    asked = await ask(one, [one, two], message=msg, tweaks=KEY_PATH, inputIndex=0, metadata=metadata)

    def back(request: dict[str, Any]) -> list[Any]:
        return [(each.get("returns"), each.get("publicKey")) for each in request["review"]["transaction"]["outputs"]]

    whole = [("key", neighbour.hex()), ("aggregate", None)]
    assert back(asked["request"]) == whole
    wallet = Caller("w", frozenset({Scope.READ}), frozenset({mine}), create_key=False)
    narrow = [(None, None), ("aggregate", None)]
    assert back(await one.call("getSigningRequest", wallet, requestId=asked["requestId"])) == narrow
    event = one.told("signing-request:created")[-1]
    assert back(dict(Selection(wallet, lambda token: ()).shown(event).data)["request"]) == narrow
    assert back(dict(event.data)["request"]) == whole
    other = await review_at(two, asked["requestId"])
    assert [each.get("returns") for each in other["transaction"]["outputs"]] == [None, "aggregate"]
    told = other["transaction"]["outputs"][0]["address"]
    assert told == address_of_script("bip340", change, "main")
    assert "request" in EVENTS["signing-request:received"].data


async def test_a_request_is_decoded_once_however_often_it_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    signers = await world.grow(2)
    spend = spend_of(signers)
    asked = await ask(signers[0], signers, messages=items_of(spend), metadata=shown(spend))
    await received(signers[1], asked["requestId"])
    decoded: list[object] = []
    monkeypatch.setattr("musig2.protocol.review.review.decode", lambda *given, **named: decoded.append(given))
    for _ in range(5):
        found = await signers[1].call("getSigningRequest", requestId=asked["requestId"])
        assert found["review"]["status"] == "checked"
    assert decoded == []
