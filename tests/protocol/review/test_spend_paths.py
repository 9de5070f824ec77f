"""`metadata.spendPaths`: what is said of single items, and what is refused of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from musig2.chain.sighash import KeyPathSpend
from musig2.chain.tapscript import Leaf, leaf_problem, script_pubkey_of
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.errors import InvalidArgumentError
from musig2.protocol.records.records import Item, Open, Request
from musig2.protocol.review.review import review
from tests.musig2.taproot.taproot_spends import AGG, ANNEX, LEAVES, PUSH_AGG, TaprootSpend, key_path, leaf_path
from tests.protocol.review.review_world import KEY, doubt, doubts, request, shown

NO_CODE = 0xFFFFFFFF


def asked(spend: TaprootSpend, **path: Open) -> Request:
    told: dict[str, Open] = {"item": 0, "sighashType": spend.kind}
    if spend.path.leaf is not None:
        told |= {"leafScript": spend.path.leaf.script.hex(), "controlBlock": spend.control_block.hex()}
    told |= path
    item = Item(spend.msg, (), spend.agg, spend.index)
    return request("bip340", [item], shown(spend.transaction, spend.spent, spendPaths=(told,)))


def test_a_leaf_is_checked_with_the_type_of_its_own_item() -> None:
    assert doubt(asked(leaf_path("bare", LEAVES["bare"], 0x83))) is None


def test_items_of_one_request_are_signed_each_in_its_own_way() -> None:
    spend = key_path(0x02)
    first = Item(KeyPathSpend(spend.transaction, spend.spent).bip341(1, 0), (), spend.agg, 1)
    second = Item(spend.msg, (), spend.agg, 1)
    paths = ({"item": 1, "sighashType": 2},)
    both = request("bip340", [first, second], shown(spend.transaction, spend.spent, spendPaths=paths))
    assert doubts(both) == [None, None]
    assert [item.uncovered for item in review(both).items] == [(), ("outputs",)]


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ({"item": 1}, "item"),
        ({"item": True}, "item"),
        ({"item": None}, "item"),
        ({"annex": "51"}, "annex"),
        ({"annex": ""}, "annex"),
        ({"annex": "50 "}, "annex"),
        ({"leafScript": "AC"}, "leafScript"),
        ({"leafScript": 7}, "leafScript"),
        ({"leafScript": None}, "controlBlock"),
        ({"leafScript": None, "controlBlock": None, "codeSeparator": 0}, "codeSeparator"),
        ({"leafScript": None, "controlBlock": None, "leafVersion": 192}, "leafVersion"),
        ({"controlBlock": None}, "controlBlock"),
        ({"controlBlock": "c0"}, "controlBlock"),
        ({"leafVersion": 256}, "leafVersion"),
        ({"leafVersion": "c0"}, "leafVersion"),
        ({"codeSeparator": 2**32}, "codeSeparator"),
        ({"codeSeparator": True}, "codeSeparator"),
        ({"codeSeparator": 0}, "leafScript"),
        ({"leafVersion": 0xC2}, "leafScript"),
        ({"leafScript": "51"}, "leafScript"),
    ],
)
def test_an_unreadable_member_is_a_mismatch_that_names_it(path: dict[str, Any], member: str) -> None:
    spend = leaf_path("bare", LEAVES["bare"], 0)
    assert doubt(asked(spend, **path)) == ("spend_path", f"metadata.spendPaths[0].{member}")


@pytest.mark.parametrize("paths", [7, "item", (7,), ({"item": 0}, {"item": 0})])
def test_a_value_that_is_not_a_list_is_a_mismatch(paths: Any) -> None:
    spend = key_path(0)
    item = Item(spend.msg, (), spend.agg, 1)
    found = doubt(request("bip340", [item], shown(spend.transaction, spend.spent, spendPaths=paths)))
    assert found[0] == "spend_path"


def test_a_sighash_type_of_one_item_is_named_where_it_stands() -> None:
    found = doubt(asked(key_path(0), sighashType=4))
    assert found == ("sighash_type", "metadata.spendPaths[0].sighashType")
    assert doubt(asked(key_path(0), sighashType="0")) == ("sighash_type", "metadata.spendPaths[0].sighashType")


def test_a_leaf_of_another_output_is_refused() -> None:
    spend = leaf_path("bare", LEAVES["bare"], 0)
    other = replace(spend, spent=(*spend.spent[:1], key_path(0).spent[1], *spend.spent[2:]))
    found = doubt(asked(other))
    assert found == ("spend_path", "metadata.spendPaths[0].controlBlock")


def test_a_leaf_of_the_same_tree_that_does_not_check_these_signers_is_refused() -> None:
    foreign = leaf_path("foreign", b"\x20" + b"\x05" * 32 + b"\xac", 0)
    assert doubt(asked(foreign)) == ("spend_path", "metadata.spendPaths[0].leafScript")


def test_lotus_has_neither_annex_nor_leaf() -> None:
    script = b"\x62\x51\x21" + KEY
    transaction = Transaction(2, (TxInput(bytes(32), 0),), (TxOutput(1, script),))
    spent = [TxOutput(2, script)]
    item = Item(KeyPathSpend(transaction, spent).lotus(0, 0x61), (), KEY, 0)
    cases: tuple[tuple[dict[str, Open], Any], ...] = (
        ({"item": 0, "sighashType": 0x61}, None),
        ({"item": 0, "annex": "50"}, ("spend_path", "metadata.spendPaths[0]")),
        ({"item": 0, "leafScript": "51", "controlBlock": "c0"}, ("spend_path", "metadata.spendPaths[0]")),
    )
    for path, expected in cases:
        assert doubt(request("lotus", [item], shown(transaction, spent, spendPaths=(path,)))) == expected


@pytest.mark.parametrize(
    ("script", "separator", "problem"),
    [
        (b"\x50" + PUSH_AGG + b"\xac", NO_CODE, "OP_SUCCESS"),
        (PUSH_AGG[:-1], NO_CODE, "ends inside a push"),
        (b"\x4c", NO_CODE, "ends inside a push"),
        (PUSH_AGG, NO_CODE, "does not check"),
        (PUSH_AGG + b"\x7c\xac", NO_CODE, "does not check"),
        (b"\xab" + PUSH_AGG + b"\xac", NO_CODE, "does not check"),
        (b"\xab" + PUSH_AGG + b"\xac", 1, "no OP_CODESEPARATOR"),
        (b"\xab" + PUSH_AGG + b"\xac", 9, "no OP_CODESEPARATOR"),
        (PUSH_AGG + b"\xad\xab\x51", 2, "does not check"),
        (b"\xab\xab" + PUSH_AGG + b"\xac", 0, "does not check"),
        (b"\xab\xab" + PUSH_AGG + b"\xac", 1, None),
        (b"\x63\xab\x68" + PUSH_AGG + b"\xac", NO_CODE, None),
        (b"\x63\xab\x68" + PUSH_AGG + b"\xac", 1, None),
        (b"\x4c\x20" + AGG[1:] + b"\xac", NO_CODE, None),
    ],
)
def test_a_leaf_must_check_the_aggregated_key_after_the_separator(
    script: bytes, separator: int, problem: str | None
) -> None:
    found = leaf_problem(Leaf(script), AGG[1:], separator)
    assert (found is None) == (problem is None)
    assert (problem or "") in (found or "")


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (b"", "33 bytes"),
        (bytes(34), "33 bytes"),
        (b"\xc0" + b"\x11" * 32 * 130, "33 bytes"),
        (b"\xc2" + bytes(32), "another leaf version"),
        (b"\xc0" + b"\xff" * 32, "no point"),
    ],
)
def test_a_control_block_that_commits_to_nothing_is_refused(block: bytes, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        script_pubkey_of(Leaf(LEAVES["bare"]), block)
    assert caught.value.argument == "control_block"


def test_an_annex_counts_for_the_size_that_is_expected() -> None:
    bare, with_annex = review(asked(key_path(0))), review(asked(key_path(0, ANNEX), annex=ANNEX.hex()))
    assert bare.transaction is not None
    assert with_annex.transaction is not None
    assert with_annex.transaction.size > bare.transaction.size
