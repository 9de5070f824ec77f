"""A transaction whose hash is signed, in amounts: what goes in, what goes out, what comes back, and the fee."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from musig2.chain.transaction import Transaction, TxInput, TxOutput, compact_size, with_size

_LOTUS_SCRIPT_SIG: Final = 66  # a push of 65 bytes, the key path's
_KEY_PATH_WITNESS: Final = 66  # one element of 64 bytes, the shortest there is
_TYPE_BYTE: Final = 1
_ORDINARY: Final = 110  # bytes that unlock a coin of one key; what is shown beyond can be left out of what is broadcast


@dataclass(frozen=True, slots=True)
class DecodedTransaction:
    """The transaction that a request shows, of which at least one input is signed and checked.

    `signed`: the inputs that items of the request sign. `returned`: the outputs that come back to the signers. `size`:
    bytes once it is signed, virtual ones on Bitcoin; an estimate where others sign inputs too, and
    rather too small: whoever broadcasts can leave out what unlocks more than it must. `fixed`: the signatures
    leave nothing open, so that amounts and fee are those of what is broadcast.
    """

    transaction: Transaction
    spent: tuple[TxOutput, ...]
    signed: frozenset[int]
    returned: frozenset[int]
    size: int
    fixed: bool
    input_amount: int = field(init=False)
    output_amount: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_amount", sum(output.value for output in self.spent))
        object.__setattr__(self, "output_amount", sum(output.value for output in self.transaction.outputs))

    @property
    def fee(self) -> int | None:
        """Satoshis; None where something is left open, or more goes out than in."""
        fee = self.input_amount - self.output_amount
        return fee if self.fixed and fee >= 0 else None

    @property
    def fee_rate(self) -> int | None:
        """Satoshis for each 1 000 bytes of `size`, rounded up; None as `fee`."""
        return None if self.fee is None else -(-self.fee * 1000 // self.size)

    @property
    def digest(self) -> bytes:
        """The same for every request that signs inputs of this transaction, whoever has unlocked which already."""
        return hashlib.sha256(_bare(self.transaction, 0).serialize()).digest()

    def script(self, index: int) -> bytes:
        """That of an output."""
        return self.transaction.outputs[index].script_pubkey

    @property
    def signed_amount(self) -> int:
        """Satoshis in the inputs that the request signs."""
        return sum(self.spent[index].value for index in self.signed)


def decode(
    scheme: str,
    transaction: Transaction,
    spent: tuple[TxOutput, ...],
    *,
    witness_sizes: dict[int, int],
    scripts: Collection[bytes],
    fixed: bool,
) -> DecodedTransaction:
    """`witness_sizes`: what each signed input will have to show, in bytes.

    `scripts`: those that nobody can spend from without all signers. To any other script that a signed input spends,
    no more comes back than was taken from it: its tree may hold a leaf for somebody else.
    """
    return DecodedTransaction(
        transaction=transaction,
        spent=spent,
        signed=frozenset(witness_sizes),
        returned=_returned(transaction.outputs, [spent[index] for index in witness_sizes], scripts),
        size=_size(scheme, transaction, witness_sizes),
        fixed=fixed,
    )


def _returned(outputs: Sequence[TxOutput], signed: Sequence[TxOutput], scripts: Collection[bytes]) -> frozenset[int]:
    taken: Counter[bytes] = Counter()
    for coin in signed:
        taken[coin.script_pubkey] += coin.value
    found = set()
    for index, output in enumerate(outputs):
        if output.script_pubkey in scripts:
            found.add(index)
        elif output.value <= taken[output.script_pubkey]:
            taken[output.script_pubkey] -= output.value
            found.add(index)
    return frozenset(found)


def witness_size(sighash_type: int, script: bytes = b"", control_block: bytes = b"", annex: bytes | None = None) -> int:
    """Bytes of the witness of one signed Bitcoin input; what else a script asks for is not known here."""
    size = _KEY_PATH_WITNESS + (_TYPE_BYTE if sighash_type else 0)
    size += len(with_size(script)) + len(with_size(control_block)) if control_block else 0
    return size + (len(with_size(annex)) if annex is not None else 0)


def _size(scheme: str, transaction: Transaction, witness_sizes: dict[int, int]) -> int:
    base = len(_bare(transaction, _ORDINARY).serialize())
    if scheme == "lotus":
        unsigned = sum(not each.script_sig for each in transaction.inputs)
        return base + unsigned * _LOTUS_SCRIPT_SIG
    witness = 2 + sum(
        witness_sizes.get(index) or min(_present(each), _ORDINARY) for index, each in enumerate(transaction.inputs)
    )  # with marker and flag
    return base + -(-witness // 4)


def _bare(transaction: Transaction, longest: int) -> Transaction:
    """Without witnesses, and without what a script shows beyond so many bytes."""
    inputs = tuple(replace(each, witness=(), script_sig=each.script_sig[:longest]) for each in transaction.inputs)
    return replace(transaction, inputs=inputs)


def _present(each: TxInput) -> int:
    """The witness that an input of others has already; where it has none yet, that of a key path."""
    if each.witness or each.script_sig:
        return len(compact_size(len(each.witness))) + sum(len(with_size(item)) for item in each.witness)
    return _KEY_PATH_WITNESS
