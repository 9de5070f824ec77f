"""Before a join each message must be what the request says it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from daemon.api.guard import refusal_of
from daemon.demo.spend import Spend, spend_from
from daemon.policy.transactions import PolicyRefused, TransactionPolicy
from musig2.chain import sighash
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import ANYONECANPAY, LOTUS, NONE, SINGLE, KeyPathSpend
from musig2.protocol.records.records import Item, Request
from musig2.protocol.review.findings import Review, ReviewStatus
from musig2.protocol.review.review import review
from tests.refusals import places_of

KEY = b"\x02" + bytes(31) + b"\x01"
OTHER_KEY = b"\x02" + bytes(31) + b"\x03"
POLICY = TransactionPolicy()
HALF = {"value": 1}


def shown(spend: Spend) -> dict[str, Any]:
    return {
        "transactionHex": spend.transaction.serialize().hex(),
        "spentOutputs": tuple({"value": out.value, "script": out.script_pubkey.hex()} for out in spend.spent),
    }


def items_of(messages: tuple[bytes, ...]) -> tuple[Item, ...]:
    return tuple(Item(msg, (), KEY, index) for index, msg in enumerate(messages))


def request_for(spend: Spend, items: tuple[Item, ...] | None = None, **metadata: Any) -> Request:
    return Request(
        scheme=spend.scheme,
        keys=(KEY, KEY),
        order=(0, 1),
        items=items or items_of(spend.messages),
        creator=KEY,
        created=1,
        expires=2,
        round_ms=1,
        max_attempts=1,
        salt=bytes(16),
        election=None,
        metadata={**shown(spend), **metadata},
    )


@pytest.fixture(params=["lotus", "bip340"])
def spend(request: pytest.FixtureRequest) -> Spend:
    return spend_from(request.param, script_pubkey(request.param, KEY), 2)


def refusal(request: Request, *, require_checked: bool = False) -> Mapping[str, Any] | None:
    """The data of the refusal; None where the join is allowed."""
    try:
        POLICY.check_join(review(request), KEY, require_checked=require_checked)
    except PolicyRefused as refused:
        error = refusal_of(refused)
        assert error is not None
        (found,) = places_of(error)
        return {**error.data, "path": found["path"], "message": error.message, "code": error.code}
    return None


def said(request: Request, *, require_checked: bool = False) -> tuple[Any, Any] | None:
    data = refusal(request, require_checked=require_checked)
    return None if data is None else (data["reason"], data["path"])


def test_the_hash_of_the_shown_transaction_is_checked(spend: Spend) -> None:
    assert said(request_for(spend), require_checked=True) is None
    assert review(request_for(spend)).status is ReviewStatus.CHECKED


def test_another_message_beside_a_shown_transaction_is_refused(spend: Spend) -> None:
    wrong = request_for(spend, items_of((spend.messages[0], bytes(32))))
    assert said(wrong) == ("message_mismatch", "messages[1].message")
    assert review(wrong).status is ReviewStatus.MISMATCH


def test_the_message_of_another_input_is_refused(spend: Spend) -> None:
    assert said(request_for(spend, items_of(spend.messages[::-1]))) == ("message_mismatch", "messages[0].message")


@pytest.mark.parametrize("kind", [0x1C, "61", True, 2**40])
def test_a_sighash_type_that_the_chain_refuses_has_no_hash(spend: Spend, kind: object) -> None:
    assert said(request_for(spend, sighashType=kind)) == ("message_mismatch", "metadata.sighashType")


@pytest.mark.parametrize(
    ("metadata", "path"),
    [
        ({"transactionHex": "00"}, "metadata.transactionHex"),
        ({"transactionHex": "no hex"}, "metadata.transactionHex"),
        ({"transactionHex": b"\x02"}, "metadata.transactionHex"),
        ({"transactionHex": 7}, "metadata.transactionHex"),
        ({"transactionHex": ""}, "metadata.transactionHex"),
        ({"transactionHex": None}, "metadata.transactionHex"),
        ({"spentOutputs": ()}, "metadata.spentOutputs"),
        ({"spentOutputs": None}, "metadata.spentOutputs"),
        ({"spentOutputs": 7}, "metadata.spentOutputs"),
        ({"spentOutputs": (HALF,)}, "metadata.spentOutputs"),
        ({"spentOutputs": (HALF, HALF, HALF)}, "metadata.spentOutputs"),
        ({"spentOutputs": (HALF, HALF)}, "metadata.spentOutputs[0].script"),
        ({"spentOutputs": (HALF | {"script": "ABCD"}, HALF)}, "metadata.spentOutputs[0].script"),
        ({"spentOutputs": ({"value": True, "script": "51"}, HALF)}, "metadata.spentOutputs[0].value"),
        ({"spentOutputs": ({"script": "51"}, HALF)}, "metadata.spentOutputs[0].value"),
        ({"spentOutputs": ("51", HALF)}, "metadata.spentOutputs[0]"),
    ],
)
def test_an_unreadable_transaction_is_refused(spend: Spend, metadata: dict[str, Any], path: str) -> None:
    assert said(request_for(spend, **metadata)) == ("transaction_unreadable", path)


def test_hex_that_readers_read_differently_is_refused(spend: Spend) -> None:
    spaced = " ".join(spend.transaction.serialize().hex()[at : at + 2] for at in range(0, 400, 2)).strip()
    for text in (spaced, spend.transaction.serialize().hex().upper()):
        assert said(request_for(spend, transactionHex=text)) == ("transaction_unreadable", "metadata.transactionHex")


def test_an_input_past_the_last_one_is_refused_with_that_reason(spend: Spend) -> None:
    beyond = dataclasses.replace(items_of(spend.messages)[0], input=2)
    data = refusal(request_for(spend, (beyond,)))
    assert data is not None
    assert (data["code"], data["reason"], data["path"]) == (-32014, "message_mismatch", "messages[0].inputIndex")
    assert "inputIndex is 2" in data["message"]
    assert "has 2 input(s)" in data["message"]


def test_a_spent_output_of_other_keys_or_tweaks_is_refused_with_that_sentence(spend: Spend) -> None:
    foreign = spend_from(spend.scheme, script_pubkey(spend.scheme, OTHER_KEY), 2)
    data = refusal(request_for(foreign))
    assert data is not None
    assert (data["reason"], data["path"]) == ("script_mismatch", "messages[0].tweaks")
    assert "were the tweaks forgotten?" in data["message"]


def test_a_lotus_output_with_state_belongs_to_its_key() -> None:
    stateful = spend_from("lotus", script_pubkey("lotus", KEY) + b"\x20" + bytes(32), 1)
    assert said(request_for(stateful), require_checked=True) is None
    longer = spend_from("lotus", script_pubkey("lotus", KEY) + b"\x21" + bytes(33), 1)
    assert said(request_for(longer)) == ("script_mismatch", "messages[0].tweaks")


def test_an_item_that_names_no_input_passes_unless_checks_are_required(spend: Spend) -> None:
    silent = request_for(spend, (dataclasses.replace(items_of(spend.messages)[0], input=None),))
    assert said(silent) is None
    assert said(silent, require_checked=True) == ("unchecked", "messages[0].inputIndex")
    assert reasons(review(silent)) == ["no_input_index"]
    assert review(silent).status is ReviewStatus.BLIND


@pytest.mark.parametrize("index", [None, 0])
def test_a_message_without_a_transaction_passes_unless_checks_are_required(spend: Spend, index: int | None) -> None:
    item = dataclasses.replace(items_of((bytes(32),))[0], input=index)
    bare = dataclasses.replace(request_for(spend, (item,)), metadata={"purpose": "none shown"})
    assert said(bare) is None
    assert said(bare, require_checked=True) == ("unchecked", "metadata.transactionHex")
    assert reasons(review(bare)) == ["no_transaction"]


def test_one_blind_item_is_enough_to_be_unchecked(spend: Spend) -> None:
    first, second = items_of(spend.messages)
    mixed = request_for(spend, (first, dataclasses.replace(second, input=None)))
    assert said(mixed, require_checked=True) == ("unchecked", "messages[1].inputIndex")
    assert review(mixed).status is ReviewStatus.BLIND


def reasons(found: Review) -> list[str | None]:
    return [None if item.finding is None else item.finding.doubt.value for item in found.items]


@pytest.mark.parametrize(
    ("kind", "uncovered"),
    [
        (NONE, ("outputs",)),
        (SINGLE, ("otherOutputs",)),  # although the spend has only one: another can be added, paid out of the fee
        (1 | ANYONECANPAY, ("otherInputs",)),
        (NONE | ANYONECANPAY, ("outputs", "otherInputs")),
    ],
)
def test_the_refusal_names_what_a_sighash_type_leaves_open(spend: Spend, kind: int, uncovered: tuple[str, ...]) -> None:
    kind |= LOTUS if spend.scheme == "lotus" else 0
    message = KeyPathSpend(spend.transaction, spend.spent).sighash(spend.scheme, 0, kind)
    request = request_for(spend, items_of((message,)), sighashType=kind)
    assert review(request).items[0].uncovered == uncovered
    assert said(request) is None
    assert said(request, require_checked=True) == ("unchecked", "metadata.sighashType")


def test_the_review_of_a_large_request_costs_a_hash_for_each_input_and_each_item(
    spend: Spend, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = spend_from(spend.scheme, script_pubkey(spend.scheme, KEY), 100)
    request = request_for(large)
    hashed = 0

    def counting(real: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        def counted(data: bytes) -> bytes:
            nonlocal hashed
            hashed += 1
            return real(data)

        return counted

    for name in ("sha256", "sha256d"):
        monkeypatch.setattr(sighash, name, counting(getattr(sighash, name)))
    assert review(request).status is ReviewStatus.CHECKED
    assert hashed < 7 * 100
