"""What Bitcoin's own consensus library says of signatures made here: `make test-consensus`.

python -m tests.musig2.taproot.consensus           every spend of taproot_spends.py: accepted; each altered one: refused
python -m tests.musig2.taproot.consensus --write   the same, and keeps what was accepted in tests/vectors/bip341
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pbk  # type: ignore[import-not-found]  # not locked: installed by the target
from pbk.script import PrecomputedTransactionData, ScriptVerificationFlags  # type: ignore[import-not-found]  # as above

from musig2.chain.tapscript import NO_CODESEPARATOR
from musig2.chain.transaction import Transaction, TxOutput
from tests.musig2.musig2_world import VECTORS
from tests.musig2.taproot.taproot_spends import TaprootSpend, covers, spends

FILE = VECTORS / "bip341" / "script_path.json"


def accepted(transaction: Transaction, spent: tuple[TxOutput, ...], index: int) -> bool:
    """Whether the consensus rules let this input spend its output."""
    outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(out.script_pubkey), out.value) for out in spent]
    given = pbk.Transaction(transaction.serialize())
    data = PrecomputedTransactionData(given, outputs)
    script = pbk.ScriptPubkey(spent[index].script_pubkey)
    return bool(script.verify(spent[index].value, given, data, index, ScriptVerificationFlags.ALL))


def alterations(spend: TaprootSpend, signed: Transaction) -> Iterator[tuple[str, Transaction, tuple[TxOutput, ...]]]:
    """Everything that the signature commits to, changed one by one."""
    spent, at, covered = spend.spent, spend.index, covers(spend)
    inputs, outputs = signed.inputs, signed.outputs
    yield "locktime", replace(signed, locktime=102), spent
    yield "version", replace(signed, version=1), spent
    own = list(spent)
    own[at] = replace(own[at], value=own[at].value + 1)
    yield "own amount", signed, tuple(own)
    if covered["other amount"]:
        yield "other amount", signed, (replace(spent[0], value=1), *spent[1:])
    if covered["other script"]:
        yield "other script", signed, (replace(spent[0], script_pubkey=b"\x51"), *spent[1:])
    if covered["other sequence"]:
        yield "other sequence", replace(signed, inputs=(replace(inputs[0], sequence=1), *inputs[1:])), spent
    if covered["first output"]:
        yield "first output", replace(signed, outputs=(replace(outputs[0], value=1), outputs[1])), spent
    if covered["second output"]:
        yield "second output", replace(signed, outputs=(outputs[0], replace(outputs[1], value=1))), spent
    yield from ((name, each, spent) for name, each in _witnesses(spend, signed))


def _witnesses(spend: TaprootSpend, signed: Transaction) -> Iterator[tuple[str, Transaction]]:
    witness = list(signed.inputs[spend.index].witness)
    signature = witness[0]

    def having(*items: bytes) -> Transaction:
        inputs = list(signed.inputs)
        inputs[spend.index] = replace(inputs[spend.index], witness=items)
        return replace(signed, inputs=tuple(inputs))

    other_type = signature[:64] + bytes(({0: 1, 1: 2, 2: 3, 3: 1}[spend.kind & 3] | spend.kind & 0x80,))
    yield "type", having(other_type, *witness[1:])
    if spend.path.annex is not None:
        yield "annex", having(*witness[:-1], witness[-1] + b"\x00")
        yield "no annex", having(*witness[:-1])
    if spend.path.leaf is not None:
        yield "leaf", having(signature, witness[1] + b"\x61", *witness[2:])
        yield "control block", having(signature, witness[1], witness[2][:-1] + b"\xff", *witness[3:])


def vector(spend: TaprootSpend, signature: bytes) -> dict[str, Any]:
    """One line of the file."""
    path = spend.path
    return {
        "name": spend.name,
        "sighash_type": spend.kind,
        "annex": None if path.annex is None else path.annex.hex(),
        "leaf_script": None if path.leaf is None else path.leaf.script.hex(),
        "control_block": spend.control_block.hex() or None,
        "code_separator": None if path.code_separator == NO_CODESEPARATOR else path.code_separator,
        "input_index": spend.index,
        "unsigned_tx": spend.transaction.serialize().hex(),
        "spent_outputs": [{"value": out.value, "script_pubkey": out.script_pubkey.hex()} for out in spend.spent],
        "aggpubkey": spend.agg.hex(),
        "sighash": spend.msg.hex(),
        "signature": signature.hex(),
    }


def main() -> int:
    """Exit code 1 where the library disagrees."""
    lines, refused, wrong = [], 0, []
    for spend in spends():
        signature = spend.signature()
        signed = spend.signed(signature)
        if not accepted(signed, spend.spent, spend.index):
            wrong.append(f"{spend.name} {spend.kind:02x}: refused")
        lines.append(vector(spend, signature))
        for name, transaction, spent in alterations(spend, signed):
            refused += 1
            if accepted(transaction, spent, spend.index):
                wrong.append(f"{spend.name} {spend.kind:02x}: accepted with another {name}")
    print(f"{len(lines)} spends accepted, {refused} altered ones refused" if not wrong else "\n".join(wrong))
    if "--write" in sys.argv and not wrong:
        FILE.write_text(json.dumps(lines, indent=1) + "\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
