"""The review against the vectors of both chains: each is checked as it stands, and nothing of it can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from musig2 import scheme
from musig2.chain.sighash import ALL, ANYONECANPAY, NONE, SINGLE
from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.records.records import Item, Open, Request
from tests.musig2.musig2_world import load
from tests.protocol.review.review_world import doubt, request, shown

LOTUS = load("lotus/sighash_lotus")
BIP341 = load("bip341/key_path")
SCRIPT_PATH = load("bip341/script_path")


def outputs(entries: list[dict[str, Any]]) -> tuple[TxOutput, ...]:
    return tuple(TxOutput(entry["value"], bytes.fromhex(entry["script_pubkey"])) for entry in entries)


def lotus_request(case: dict[str, Any], **changes: Any) -> Request:
    return _asked("lotus", case, bytes.fromhex(_script(case)[6:72]), case["unsigned_tx"], case["prev_outputs"], changes)


def bip341_request(case: dict[str, Any], **changes: Any) -> Request:
    agg = b"\x02" + bytes.fromhex(BIP341["spent_outputs"][case["input_index"]]["script_pubkey"][4:])
    return _asked("bip340", case, agg, BIP341["unsigned_tx"], BIP341["spent_outputs"], changes)


def leaf_request(case: dict[str, Any], **changes: Any) -> Request:
    named = {
        "annex": "annex",
        "leafScript": "leaf_script",
        "controlBlock": "control_block",
        "codeSeparator": "code_separator",
    }
    path = {name: case[key] for name, key in named.items() if case[key] is not None}
    changes["spendPaths"] = ({"item": 0, **path, **changes.pop("path", {})},)
    agg = bytes.fromhex(case["aggpubkey"])
    return _asked("bip340", case, agg, case["unsigned_tx"], case["spent_outputs"], changes)


def _script(case: dict[str, Any]) -> str:
    return str(case["prev_outputs"][case["input_index"]]["script_pubkey"])


def _asked(
    name: str, case: dict[str, Any], agg: bytes, unsigned: str, spent: list[dict[str, Any]], changes: dict[str, Any]
) -> Request:
    kind = case["sighash_type"]
    transaction = changes.pop("transaction", Transaction.parse(bytes.fromhex(unsigned)))
    spent_outputs = changes.pop("spent", outputs(spent))
    index = changes.pop("index", case["input_index"])
    kept: dict[str, Open] = {"sighashType": int(kind, 16) if isinstance(kind, str) else kind, **changes}
    item = Item(bytes.fromhex(case["sighash"]), (), agg, index)
    return request(name, [item], shown(transaction, spent_outputs, **kept))


@pytest.mark.parametrize("case", LOTUS, ids=lambda case: f"{case['comment']} {case['sighash_type']}")
def test_every_lotus_vector_is_checked_and_nothing_in_it_can_be_changed(case: dict[str, Any]) -> None:
    assert doubt(lotus_request(case)) is None
    kind = int(case["sighash_type"], 16)
    transaction, spent = Transaction.parse(bytes.fromhex(case["unsigned_tx"])), outputs(case["prev_outputs"])
    for name, changes in alterations(transaction, spent, case["input_index"], kind):
        assert doubt(lotus_request(case, **changes)) is not None, name


@pytest.mark.parametrize("case", BIP341["spends"], ids=lambda case: f"input {case['input_index']}")
def test_every_key_path_vector_of_bip341_is_checked_and_nothing_in_it_can_be_changed(case: dict[str, Any]) -> None:
    assert doubt(bip341_request(case)) is None
    transaction = Transaction.parse(bytes.fromhex(BIP341["unsigned_tx"]))
    spent = outputs(BIP341["spent_outputs"])
    for name, changes in alterations(transaction, spent, case["input_index"], case["sighash_type"]):
        assert doubt(bip341_request(case, **changes)) is not None, name
    annex = ({"item": 0, "annex": "50"},)
    assert doubt(bip341_request(case, spendPaths=annex)) == ("message_mismatch", "messages[0].message")


@pytest.mark.parametrize(
    "case", SCRIPT_PATH, ids=lambda case: f"{case['name']} {case['sighash_type']:02x}{' annex' * bool(case['annex'])}"
)
def test_every_spend_that_the_consensus_library_accepted_is_checked_and_signs_as_it_did(case: dict[str, Any]) -> None:
    assert doubt(leaf_request(case)) is None
    msg, signature = bytes.fromhex(case["sighash"]), bytes.fromhex(case["signature"])
    assert scheme("bip340").schnorr_verify(bytes.fromhex(case["aggpubkey"]), msg, signature)
    transaction, spent = Transaction.parse(bytes.fromhex(case["unsigned_tx"])), outputs(case["spent_outputs"])
    for name, changes in alterations(transaction, spent, case["input_index"], case["sighash_type"]):
        assert doubt(leaf_request(case, **changes)) is not None, name
    for name, path in path_alterations(case):
        assert doubt(leaf_request(case, path=path)) is not None, name


def alterations(
    transaction: Transaction, spent: tuple[TxOutput, ...], index: int, kind: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a signature of that type commits to, changed one by one."""
    alone, base = bool(kind & ANYONECANPAY), kind & 3
    mine = spent[index]
    yield "another amount", {"spent": _put(spent, index, replace(mine, value=mine.value + 1))}
    yield "another script", {"spent": _put(spent, index, replace(mine, script_pubkey=mine.script_pubkey + b"\x00"))}
    yield "another locktime", {"transaction": replace(transaction, locktime=transaction.locktime ^ 1)}
    yield "another version", {"transaction": replace(transaction, version=transaction.version ^ 3)}
    yield "no such input", {"index": len(spent)}
    for other in (at for at in range(len(spent)) if at != index):
        yield f"input {other} instead", {"index": other}
        if not alone:
            out = spent[other]
            yield f"amount of input {other}", {"spent": _put(spent, other, replace(out, value=out.value + 1))}
            yield f"script of input {other}", {"spent": _put(spent, other, replace(out, script_pubkey=b"\x51"))}
    wrong_type = kind & ~3 | {ALL: NONE, NONE: SINGLE, SINGLE: ALL, 0: ALL}[base]
    yield "another type", {"sighashType": wrong_type}
    yield "with ANYONECANPAY or without it", {"sighashType": kind ^ ANYONECANPAY}
    for at, output in enumerate(transaction.outputs):
        if base in (0, ALL) or (base == SINGLE and at == index):
            dearer = _put(transaction.outputs, at, replace(output, value=output.value + 1))
            yield f"output {at}", {"transaction": replace(transaction, outputs=dearer)}


def path_alterations(case: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "another annex", {"annex": "5001"}
    if case["annex"] is not None:
        yield "no annex", {"annex": None}
    if case["leaf_script"] is None:
        return
    block = bytearray.fromhex(case["control_block"])
    block[-1] ^= 1
    yield "another branch", {"controlBlock": block.hex()}
    yield "another parity", {"controlBlock": f"{block[0] ^ 1:02x}{case['control_block'][2:]}"}
    yield "another leaf", {"leafScript": case["leaf_script"] + "61"}
    yield "another leaf version", {"leafVersion": 0xC2}
    yield "another code separator", {"codeSeparator": 0 if case["code_separator"] is None else None}


def _put(values: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    return (*values[:index], value, *values[index + 1 :])
