"""What a sighash type leaves open: everything that can be changed without another hash is named, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TypeAlias

import pytest

from musig2.chain.address import script_pubkey
from musig2.chain.sighash import ALL, ANYONECANPAY, LOTUS, NONE, SIGHASH_DEFAULT, SINGLE, KeyPathSpend
from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.records.records import Item
from musig2.protocol.review.review import review
from tests.protocol.review.review_world import KEY, request, shown

Spend: TypeAlias = tuple[Transaction, tuple[TxOutput, ...]]
SCHEMES = ("lotus", "bip340")
BASES = (ALL, NONE, SINGLE, ALL | ANYONECANPAY, NONE | ANYONECANPAY, SINGLE | ANYONECANPAY)
TYPES = [("lotus", LOTUS | base) for base in BASES] + [("bip340", base) for base in (SIGHASH_DEFAULT, *BASES)]
SHAPES = [  # inputs, outputs, and which input is signed, with an output at its position
    (ins, outs, at) for ins, outs, at in product((1, 2, 3), (1, 2, 3), (0, 1)) if at < ins and at < outs
]
THEIRS = TxOutput(7, b"\x6a")


def spend_of(scheme: str, inputs: int, outputs: int) -> Spend:
    mine = script_pubkey(scheme, KEY)
    transaction = Transaction(
        2,
        tuple(TxInput(bytes(32), at) for at in range(inputs)),
        tuple(TxOutput(100 + at, mine) for at in range(outputs)),
    )
    return transaction, tuple(TxOutput(1_000 + at, mine) for at in range(inputs))


def changed_outputs(spend: Spend, at: int) -> Iterator[tuple[str, Spend]]:
    """Each change of the outputs, by the name under which it has to be told."""
    transaction, spent = spend
    outs = transaction.outputs
    yield "otherOutputs", (replace(transaction, outputs=(*outs, THEIRS)), spent)
    for index, out in enumerate(outs):
        paid_elsewhere = (*outs[:index], replace(out, script_pubkey=THEIRS.script_pubkey), *outs[index + 1 :])
        yield "outputs" if index == at else "otherOutputs", (replace(transaction, outputs=paid_elsewhere), spent)
    if len(outs) > at + 1:
        yield "otherOutputs", (replace(transaction, outputs=outs[:-1]), spent)


def changed_inputs(spend: Spend, at: int) -> Iterator[tuple[str, Spend]]:
    """Each change of inputs and what they spend; "" for what no type leaves open."""
    transaction, spent = spend
    ins = transaction.inputs
    yield "otherInputs", (replace(transaction, inputs=(*ins, TxInput(b"\x01" * 32, 0))), (*spent, THEIRS))
    for index, each in enumerate(ins):
        name = "" if index == at else "otherInputs"
        for other in (replace(each, sequence=0), replace(each, vout=9), replace(each, txid=b"\x02" * 32)):
            yield name, (replace(transaction, inputs=(*ins[:index], other, *ins[index + 1 :])), spent)
        for coin in (replace(spent[index], value=1), replace(spent[index], script_pubkey=THEIRS.script_pubkey)):
            yield name, (transaction, (*spent[:index], coin, *spent[index + 1 :]))


def changed(spend: Spend, at: int) -> Iterator[tuple[str, Spend]]:
    transaction, spent = spend
    yield from changed_outputs(spend, at)
    yield from changed_inputs(spend, at)
    yield "", (replace(transaction, version=1), spent)
    yield "", (replace(transaction, locktime=1), spent)


@pytest.mark.parametrize(("scheme", "kind"), TYPES)
def test_all_that_can_change_under_the_same_hash_is_named_and_nothing_else(scheme: str, kind: int) -> None:
    for inputs, outputs, at in SHAPES:
        spend = spend_of(scheme, inputs, outputs)
        msg = KeyPathSpend(*spend).sighash(scheme, at, kind)
        metadata = shown(*spend, sighashType=kind)
        (item,) = review(request(scheme, [Item(msg, (), KEY, at)], metadata)).items
        assert item.finding is None
        free = {name for name, other in changed(spend, at) if KeyPathSpend(*other).sighash(scheme, at, kind) == msg}
        named = set(item.uncovered)
        assert free == named | ({"otherOutputs"} if "outputs" in named else set()), (inputs, outputs, at)
