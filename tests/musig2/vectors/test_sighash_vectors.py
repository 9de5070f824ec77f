"""Signature hashes and the transactions under them, against the vectors of both chains."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musig2 import InvalidArgumentError, Tweak, TweakKind, scheme
from musig2.chain.address import script_pubkey
from musig2.chain.sighash import (
    ALL,
    ANYONECANPAY,
    LOTUS,
    NONE,
    SIGHASH_DEFAULT,
    SIGHASH_LOTUS_ALL,
    SINGLE,
    sighash_bip341,
    sighash_lotus,
)
from musig2.chain.transaction import Transaction, TxInput, TxOutput, compact_size
from musig2.curve.hashing import sha256d
from musig2.tweaks import taptweak_bip341
from tests.musig2.musig2_world import assert_names, load, seckey, world

LOTUS_CASES = load("lotus/sighash_lotus")
BIP341 = load("bip341/key_path")


def outputs(entries: list[dict[str, Any]]) -> list[TxOutput]:
    return [TxOutput(entry["value"], bytes.fromhex(entry["script_pubkey"])) for entry in entries]


@pytest.mark.parametrize("case", LOTUS_CASES, ids=lambda case: f"{case['comment']} {case['sighash_type']}")
def test_lotus_sighash_agrees(case: dict[str, Any]) -> None:
    transaction = Transaction.parse(bytes.fromhex(case["unsigned_tx"]))
    assert transaction.serialize().hex() == case["unsigned_tx"]
    kind = int(case["sighash_type"], 16)
    digest = sighash_lotus(transaction, case["input_index"], outputs(case["prev_outputs"]), kind)
    assert digest.hex() == case["sighash"]


@pytest.mark.parametrize("case", [case for case in LOTUS_CASES if "keypath_sig64" in case], ids=lambda c: c["comment"])
def test_lotus_key_path_signature_holds(case: dict[str, Any]) -> None:
    commitment = bytes.fromhex(case["commitment"])
    spent = case["prev_outputs"][case["input_index"]]
    assert script_pubkey("lotus", commitment).hex() == spent["script_pubkey"]
    msg, signature = bytes.fromhex(case["sighash"]), bytes.fromhex(case["keypath_sig64"])
    assert scheme("lotus").schnorr_verify(commitment, msg, signature)


@pytest.mark.parametrize("case", BIP341["spends"], ids=lambda case: f"input {case['input_index']}")
def test_bip341_key_path_agrees(case: dict[str, Any]) -> None:
    index, kind = case["input_index"], case["sighash_type"]
    unsigned = Transaction.parse(bytes.fromhex(BIP341["unsigned_tx"]))
    signed = Transaction.parse(bytes.fromhex(BIP341["signed_tx"]))
    spent = outputs(BIP341["spent_outputs"])
    msg = sighash_bip341(unsigned, index, spent, kind)
    assert msg.hex() == case["sighash"]
    assert sighash_bip341(signed, index, spent, kind) == msg
    signature = signed.inputs[index].witness[0]
    assert signature[64:] == (bytes((kind,)) if kind else b"")
    assert scheme("bip340").schnorr_verify(b"\x02" + spent[index].script_pubkey[2:], msg, signature[:64])


@pytest.mark.parametrize("case", BIP341["spends"], ids=lambda case: f"input {case['input_index']}")
def test_bip341_tweak_agrees(case: dict[str, Any]) -> None:
    root = bytes.fromhex(case["merkle_root"]) if case["merkle_root"] else None
    internal = seckey(case["internal_seckey"]).pubkey[1:]
    assert taptweak_bip341(internal, root).hex() == case["tweak"]


def test_transactions_keep_every_byte() -> None:
    for raw in (BIP341["unsigned_tx"], BIP341["signed_tx"]):
        assert Transaction.parse(bytes.fromhex(raw)).serialize().hex() == raw


@pytest.mark.parametrize("size", [0, 0xFC, 0xFD, 0xFFFF, 0x10000])
def test_long_scripts_survive_serialization(size: int) -> None:
    transaction = Transaction(2, (TxInput(bytes(32), 0, bytes(size)),), (TxOutput(1, b""),))
    assert Transaction.parse(transaction.serialize()) == transaction


def test_an_input_is_bare_and_final_by_default() -> None:
    bare = TxInput(bytes(32), 7)
    assert (bare.script_sig, bare.sequence, bare.witness) == (b"", 0xFFFFFFFF, ())
    assert Transaction(2, (bare,), ()).locktime == 0
    assert bare.serialize().hex() == "00" * 32 + "07000000" + "00" + "ffffffff"


def test_an_output_may_be_worth_nothing() -> None:
    assert TxOutput(0, b"").serialize() == bytes(9)


def test_compact_sizes_are_the_shortest() -> None:
    assert [compact_size(size).hex() for size in (0, 0xFC, 0xFD, 0xFFFF)] == ["00", "fc", "fdfd00", "fdffff"]
    assert [compact_size(size).hex() for size in (0x10000, 2**32 - 1)] == ["fe00000100", "feffffffff"]
    assert compact_size(2**32).hex() == "ff0000000001000000"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\x00",
        lambda raw: raw[:4] + b"\xfd\x01\x00" + raw[5:],  # a count of 1 in three bytes
        lambda raw: raw[:4] + b"\xff" + b"\xff" * 8 + raw[5:],  # a count that no memory could hold
        lambda raw: b"",
    ],
)
def test_a_damaged_transaction_is_refused(damage: Any) -> None:
    raw = Transaction(2, (TxInput(bytes(32), 0),), (TxOutput(1, b"\x51"),)).serialize()
    assert_names("transaction", lambda: Transaction.parse(damage(raw)))


@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (lambda: TxInput(bytes(31), 0), "txid"),
        (lambda: TxInput(bytes(32), 2**32), "vout"),
        (lambda: TxInput(bytes(32), 0, sequence=-1), "sequence"),
        (lambda: TxOutput(-1, b""), "value"),
        (lambda: TxOutput(2**53, b""), "value"),
        (lambda: Transaction(2**32, (), ()), "version"),
        (lambda: Transaction(2, (), (), -1), "locktime"),
    ],
)
def test_values_out_of_range_are_refused(build: Any, argument: str) -> None:
    assert_names(argument, build)


def two_inputs() -> tuple[Transaction, list[TxOutput]]:
    inputs = tuple(TxInput(bytes((i,)) * 32, i) for i in range(2))
    return Transaction(2, inputs, (TxOutput(5, b"\x51"),)), [TxOutput(3, b"\x51"), TxOutput(4, b"\x52")]


@pytest.mark.parametrize("sighash", [sighash_lotus, sighash_bip341])
def test_a_spend_that_does_not_fit_is_refused(sighash: Any) -> None:
    transaction, spent = two_inputs()
    assert_names("spent_outputs", lambda: sighash(transaction, 0, spent[:1]))
    for index in (-1, 2):
        assert_names("input_index", lambda index=index: sighash(transaction, index, spent))


@pytest.mark.parametrize("kind", [0x60, 0x01, 0x21, 0x41, 0x65, 0x69, 0x71, 0x161, -1])
def test_lotus_types_without_base_or_flag_are_refused(kind: int) -> None:
    assert_names("sighash_type", lambda: sighash_lotus(two_inputs()[0], 0, two_inputs()[1], kind))


@pytest.mark.parametrize("kind", [4, 0x61, 0x80, 0x84, 256, -1])
def test_bip341_types_unknown_are_refused(kind: int) -> None:
    assert_names("sighash_type", lambda: sighash_bip341(two_inputs()[0], 0, two_inputs()[1], kind))


def test_the_types_have_the_numbers_of_the_chains() -> None:
    assert (ALL, NONE, SINGLE, LOTUS, ANYONECANPAY) == (1, 2, 3, 0x60, 0x80)
    assert (SIGHASH_LOTUS_ALL, SIGHASH_DEFAULT) == (0x61, 0)


def test_single_needs_its_output() -> None:
    transaction, spent = two_inputs()
    sighash_lotus(transaction, 0, spent, SINGLE | LOTUS)
    sighash_bip341(transaction, 0, spent, SINGLE)
    assert_names("sighash_type", lambda: sighash_lotus(transaction, 1, spent, SINGLE | LOTUS), "SINGLE needs")
    assert_names("sighash_type", lambda: sighash_bip341(transaction, 1, spent, SINGLE), "SINGLE needs")


@pytest.mark.parametrize(("sighash", "kind"), [(sighash_lotus, LOTUS | ALL), (sighash_bip341, ALL)])
def test_anyonecanpay_forgets_the_other_inputs(sighash: Any, kind: int) -> None:
    transaction, spent = two_inputs()
    other = Transaction(2, (transaction.inputs[0], TxInput(b"\x07" * 32, 7)), transaction.outputs)
    other_spent = [spent[0], TxOutput(9, b"\x59")]
    alone = kind | ANYONECANPAY
    assert sighash(transaction, 0, spent, alone) == sighash(other, 0, other_spent, alone)
    assert sighash(transaction, 0, spent, kind) != sighash(other, 0, other_spent, kind)


def test_a_transaction_without_outputs_has_an_empty_tree() -> None:
    """No vector has one; the pre-image is put together by hand."""
    transaction, spent = two_inputs()
    empty, first = Transaction(2, transaction.inputs, (), 9), transaction.inputs[0]
    spending = b"\x00" + first.outpoint + b"\xff" * 4 + (3).to_bytes(8, "little") + b"\x01\x51"
    preimage = b"\xe1\x00\x00\x00" + sha256d(spending) + bytes(8) + b"\x02\x00\x00\x00"
    preimage += bytes(32) + b"\x00" + b"\x09\x00\x00\x00"
    assert sighash_lotus(empty, 0, spent, ALL | LOTUS | ANYONECANPAY) == sha256d(preimage)


def test_amounts_beyond_64_bits_are_refused() -> None:
    transaction, spent = two_inputs()
    rich = Transaction(2, transaction.inputs, (TxOutput(2**53 - 1, b""),) * 2049)
    assert_names("outputs", lambda: sighash_lotus(rich, 0, spent), "64 bits")
    just = Transaction(2, transaction.inputs, (*rich.outputs[:2048], TxOutput(2048, b"")))
    assert sum(output.value for output in just.outputs) == 2**64
    assert_names("outputs", lambda: sighash_lotus(just, 0, spent), "64 bits")
    sighash_lotus(Transaction(2, transaction.inputs, (*rich.outputs[:2048], TxOutput(2047, b""))), 0, spent)


def test_the_message_of_a_musig_spend_verifies_under_its_script() -> None:
    """From keys to a spend a node accepts: aggregate, script, message, signature."""
    for name, sighash in (("lotus", sighash_lotus), ("bip340", sighash_bip341)):
        made = world(scheme(name), 3, (Tweak(TweakKind.TAPROOT),))
        script = script_pubkey(name, made.keyagg.aggpubkey)
        spend = Transaction(2, (TxInput(b"\x01" * 32, 0),), (TxOutput(900, b"\x51"),))
        msg = sighash(spend, 0, [TxOutput(1000, script)])
        again = [made.scheme.nonce_gen(key, key.pubkey, made.keyagg, msg) for key in made.keys]
        session = made.scheme.session(made.keyagg, made.scheme.nonce_agg([public for _, public in again]), msg)
        psigs = [made.scheme.sign(nonce, key, session) for (nonce, _), key in zip(again, made.keys, strict=True)]
        signature = made.scheme.partial_sig_agg(psigs, session)
        assert made.scheme.schnorr_verify(script[-33:] if name == "lotus" else b"\x02" + script[2:], msg, signature)


@given(st.binary(max_size=300) | st.integers(0, 8 * 60 - 1))
def test_whatever_is_parsed_is_refused_or_written_back(data: bytes | int) -> None:
    if isinstance(data, int):  # one bit of a good transaction turned
        raw = Transaction(2, (TxInput(bytes(32), 0, witness=(b"\x01",)),), (TxOutput(1, b"\x51"),)).serialize()
        data = (int.from_bytes(raw) ^ 1 << data).to_bytes(len(raw))
    try:
        assert Transaction.parse(data).serialize() == data
    except InvalidArgumentError:
        return
