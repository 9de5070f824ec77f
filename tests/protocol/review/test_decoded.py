"""What a review says of the transaction: amounts, fee, fee rate, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from daemon.demo.spend import spend_from
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import ANYONECANPAY, LOTUS, NONE, SIGHASH_LOTUS_ALL, SINGLE, KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.records.records import Item, WireTweak
from musig2.protocol.review.decoded import DecodedTransaction
from musig2.protocol.review.findings import Review, ReviewStatus
from musig2.protocol.review.review import review
from tests.musig2.musig2_world import load
from tests.musig2.taproot.taproot_spends import LEAVES, key_path, leaf_path
from tests.protocol.review.review_world import KEY, request, shown

SCHEMES = ("lotus", "bip340")
OTHER = script_pubkey("bip340", b"\x02" + bytes(31) + b"\x03")


def spending(
    scheme: str, outputs: Sequence[TxOutput], values: Sequence[int] = (1_000, 2_000), kind: int | None = None
) -> Review:
    """Input 0 is signed, the others are others'."""
    mine = script_pubkey(scheme, KEY)
    transaction = Transaction(2, tuple(TxInput(bytes(32), at) for at in range(len(values))), tuple(outputs))
    spent = [TxOutput(value, mine if at == 0 else OTHER) for at, value in enumerate(values)]
    msg = KeyPathSpend(transaction, spent).sighash(scheme, 0, kind)
    metadata = shown(transaction, spent) | ({} if kind is None else {"sighashType": kind})
    return review(request(scheme, [Item(msg, (), KEY, 0)], metadata))


def decoded(found: Review) -> DecodedTransaction:
    assert found.transaction is not None
    return found.transaction


@pytest.mark.parametrize("scheme", SCHEMES)
def test_amounts_fee_and_what_comes_back_are_those_of_the_transaction(scheme: str) -> None:
    mine = script_pubkey(scheme, KEY)
    told = decoded(spending(scheme, [TxOutput(700, mine), TxOutput(2_000, OTHER)]))
    assert (told.input_amount, told.output_amount, told.fee) == (3_000, 2_700, 300)
    assert (told.signed, told.signed_amount) == ({0}, 1_000)
    assert told.returned == {0}
    assert told.fee_rate == -(-300_000 // told.size)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", [NONE, SINGLE, 1 | ANYONECANPAY])
def test_a_signature_that_leaves_something_open_knows_no_fee(scheme: str, kind: int) -> None:
    kind |= LOTUS if scheme == "lotus" else 0
    told = decoded(spending(scheme, [TxOutput(700, OTHER), TxOutput(5, OTHER)], kind=kind))
    assert (told.fee, told.fee_rate) == (None, None)


def test_more_out_than_in_is_no_fee() -> None:
    assert decoded(spending("lotus", [TxOutput(9_000, OTHER)])).fee is None


def test_nothing_is_decoded_where_an_item_is_a_mismatch_or_all_are_blind() -> None:
    spend = spend_from("lotus", script_pubkey("lotus", KEY), 2)
    good = [Item(msg, (), KEY, index) for index, msg in enumerate(spend.messages)]
    metadata = shown(spend.transaction, spend.spent)
    wrong = review(request("lotus", [good[0], replace(good[1], msg=bytes(32))], metadata))
    assert (wrong.status, wrong.transaction) == (ReviewStatus.MISMATCH, None)
    blind = review(request("lotus", [replace(item, input=None) for item in good], metadata))
    assert (blind.status, blind.transaction) == (ReviewStatus.BLIND, None)
    mixed = review(request("lotus", [good[0], replace(good[1], input=None)], metadata))
    assert mixed.status is ReviewStatus.BLIND
    assert decoded(mixed).signed == {0}


def test_a_transaction_that_spends_one_output_twice_is_none() -> None:
    mine = script_pubkey("lotus", KEY)
    twice = Transaction(2, (TxInput(bytes(32), 0),) * 2, (TxOutput(1, mine),))
    spent = [TxOutput(5, mine)] * 2
    msg = KeyPathSpend(twice, spent).lotus(0)
    found = review(request("lotus", [Item(msg, (), KEY, 0)], shown(twice, spent)))
    assert found.first_finding is not None
    assert (found.status, found.first_finding.path) == (ReviewStatus.MISMATCH, "metadata.transactionHex")


@pytest.mark.parametrize("spend", [key_path(0), key_path(1), leaf_path("bare", LEAVES["bare"], 0)])
def test_the_size_on_bitcoin_is_that_of_the_signed_transaction(spend: object) -> None:
    from tests.musig2.taproot.taproot_spends import TaprootSpend

    assert isinstance(spend, TaprootSpend)
    path: dict[str, object] = {"item": 0, "sighashType": spend.kind}
    if spend.path.leaf is not None:
        path |= {"leafScript": spend.path.leaf.script.hex(), "controlBlock": spend.control_block.hex()}
    metadata = shown(spend.transaction, spend.spent, spendPaths=(path,))  # type: ignore[arg-type]  # an open map
    told = decoded(review(request("bip340", [Item(spend.msg, (), spend.agg, 1)], metadata)))
    signed = spend.signed(bytes(64))
    everyone = replace(
        signed,
        inputs=tuple(each if each.witness else replace(each, witness=(bytes(64),)) for each in signed.inputs),
    )
    witness = sum(1 + sum(len(item) + 1 for item in each.witness) for each in everyone.inputs) + 2
    assert told.size == len(spend.transaction.serialize()) + -(-witness // 4)


def test_the_size_counts_what_others_have_signed_already() -> None:
    vectors = load("bip341/key_path")
    signed = Transaction.parse(bytes.fromhex(vectors["signed_tx"]))
    spent = [TxOutput(each["value"], bytes.fromhex(each["script_pubkey"])) for each in vectors["spent_outputs"]]
    (case,) = [each for each in vectors["spends"] if each["sighash_type"] == 0]
    agg = b"\x02" + spent[case["input_index"]].script_pubkey[2:]
    item = Item(bytes.fromhex(case["sighash"]), (), agg, case["input_index"])
    told = decoded(review(request("bip340", [item], shown(signed, spent))))
    weight = len(signed.serialize()) + 3 * len(Transaction.parse(bytes.fromhex(vectors["unsigned_tx"])).serialize())
    legacy = sum(len(each.script_sig) for each in signed.inputs)
    assert told.size == -(-(weight + 3 * legacy) // 4)


def test_a_lotus_transaction_has_its_signatures_in_its_inputs() -> None:
    spend = spend_from("lotus", script_pubkey("lotus", KEY), 2)
    items = [Item(msg, (), KEY, index) for index, msg in enumerate(spend.messages)]
    metadata = shown(spend.transaction, spend.spent, sighashType=SIGHASH_LOTUS_ALL)
    told = decoded(review(request("lotus", items, metadata)))
    assert told.size == len(spend.signed([bytes(64)] * 2).serialize())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("hiding", [WireTweak(2, bytes(31) + b"\x07"), WireTweak(0, bytes(31) + b"\x07")])
def test_to_a_key_that_may_hide_scripts_no_more_comes_back_than_it_gave(scheme: str, hiding: WireTweak) -> None:
    mine, odd = script_pubkey(scheme, KEY), b"\x02" + bytes(31) + b"\x04"
    hidden = script_pubkey(scheme, odd)
    coins = [TxOutput(1_000, mine), TxOutput(10, hidden)]

    def returned(*outputs: TxOutput) -> set[int]:
        transaction = Transaction(2, (TxInput(bytes(32), 0), TxInput(bytes(32), 1)), outputs)
        msgs = [KeyPathSpend(transaction, coins).sighash(scheme, at, None) for at in range(2)]
        items = [Item(msgs[0], (WireTweak(2, None),), KEY, 0), Item(msgs[1], (hiding,), odd, 1)]
        return set(decoded(review(request(scheme, items, shown(transaction, coins)))).returned)

    assert returned(TxOutput(990, hidden), TxOutput(10, OTHER)) == set()
    assert returned(TxOutput(4, hidden), TxOutput(6, hidden), TxOutput(1, hidden), TxOutput(900, mine)) == {0, 1, 3}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("padding", [{"script_sig": bytes(9_000)}, {"witness": (bytes(9_000),)}])
def test_what_others_show_to_unlock_their_coins_cannot_make_the_fee_rate_look_small(
    scheme: str, padding: dict[str, Any]
) -> None:
    mine = script_pubkey(scheme, KEY)
    coins = [TxOutput(1_000, mine), TxOutput(9_000, OTHER)]

    def rate(**unlocked: Any) -> int:
        inputs = (TxInput(bytes(32), 0), replace(TxInput(bytes(32), 1), **unlocked))
        transaction = Transaction(2, inputs, (TxOutput(5_000, OTHER),))
        msg = KeyPathSpend(transaction, coins).sighash(scheme, 0, None)
        return decoded(review(request(scheme, [Item(msg, (), KEY, 0)], shown(transaction, coins)))).fee_rate or 0

    assert rate(**padding) > rate() // 2
