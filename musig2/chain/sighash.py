"""The 32 bytes that a key-path spend signs, on both chains. Pure functions of public data."""

from collections.abc import Sequence
from typing import Final

from musig2.chain.transaction import Transaction, TxOutput, with_size
from musig2.curve.hashing import sha256, sha256d, tagged_hash
from musig2.errors import InvalidArgumentError

ALL: Final = 0x01
NONE: Final = 0x02
SINGLE: Final = 0x03
LOTUS: Final = 0x60
ANYONECANPAY: Final = 0x80
SIGHASH_LOTUS_ALL: Final = ALL | LOTUS
SIGHASH_DEFAULT: Final = 0x00  # BIP-341: as ALL, with a signature of 64 bytes

_BASE: Final = 0x03
_BIP341_TYPES: Final = frozenset((0, 1, 2, 3, 0x81, 0x82, 0x83))


def sighash_lotus(
    transaction: Transaction,
    input_index: int,
    spent_outputs: Sequence[TxOutput],
    sighash_type: int = SIGHASH_LOTUS_ALL,
) -> bytes:
    """lotus-lib (Taproot): SIGHASH_LOTUS of a key-path spend; `spent_outputs` are those of all inputs, in order."""
    _check(transaction, input_index, spent_outputs)
    base = sighash_type & _BASE
    if sighash_type & ~(_BASE | LOTUS | ANYONECANPAY) or sighash_type & LOTUS != LOTUS or base == 0:
        raise InvalidArgumentError(
            "sighash_type", "must be ALL, NONE or SINGLE with LOTUS, with or without ANYONECANPAY"
        )
    everyone = not sighash_type & ANYONECANPAY
    spending, spent = transaction.inputs[input_index], spent_outputs[input_index]
    parts = [
        _u32(sighash_type),
        sha256d(b"\x00" + spending.outpoint + _u32(spending.sequence) + spent.serialize()),
    ]
    if everyone:
        root, _ = _merkle([sha256d(output.serialize()) for output in spent_outputs])
        parts += [_u32(input_index), root, _u64(sum(output.value for output in spent_outputs))]
    if base == ALL:
        parts.append(_u64(sum(output.value for output in transaction.outputs)))
    parts.append(_u32(transaction.version))
    if everyone:
        root, height = _merkle([sha256d(each.outpoint + _u32(each.sequence)) for each in transaction.inputs])
        parts += [root, bytes((height,))]
    if base == SINGLE:
        parts.append(sha256d(_matching_output(transaction, input_index)))
    if base == ALL:
        root, height = _merkle([sha256d(output.serialize()) for output in transaction.outputs])
        parts += [root, bytes((height,))]
    parts.append(_u32(transaction.locktime))
    return sha256d(b"".join(parts))


def sighash_bip341(
    transaction: Transaction,
    input_index: int,
    spent_outputs: Sequence[TxOutput],
    sighash_type: int = SIGHASH_DEFAULT,
) -> bytes:
    """BIP-341, "Common signature message", for a key-path spend without annex."""
    _check(transaction, input_index, spent_outputs)
    if sighash_type not in _BIP341_TYPES:
        raise InvalidArgumentError("sighash_type", "must be DEFAULT, ALL, NONE or SINGLE, or these with ANYONECANPAY")
    everyone, base = not sighash_type & ANYONECANPAY, sighash_type & _BASE
    spending, spent = transaction.inputs[input_index], spent_outputs[input_index]
    parts = [bytes((0, sighash_type)), _u32(transaction.version), _u32(transaction.locktime)]
    if everyone:
        parts += [
            sha256(b"".join(each.outpoint for each in transaction.inputs)),
            sha256(b"".join(_u64(output.value) for output in spent_outputs)),
            sha256(b"".join(with_size(output.script_pubkey) for output in spent_outputs)),
            sha256(b"".join(_u32(each.sequence) for each in transaction.inputs)),
        ]
    if base in (SIGHASH_DEFAULT, ALL):
        parts.append(sha256(b"".join(output.serialize() for output in transaction.outputs)))
    parts.append(b"\x00")  # spend type: key path, no annex
    if everyone:
        parts.append(_u32(input_index))
    else:
        parts += [spending.outpoint, spent.serialize(), _u32(spending.sequence)]
    if base == SINGLE:
        parts.append(sha256(_matching_output(transaction, input_index)))
    return tagged_hash("TapSighash", *parts)


def _check(transaction: Transaction, input_index: int, spent_outputs: Sequence[TxOutput]) -> None:
    if len(spent_outputs) != len(transaction.inputs):
        raise InvalidArgumentError("spent_outputs", "must be one for each input")
    if not 0 <= input_index < len(transaction.inputs):
        raise InvalidArgumentError("input_index", "must be the position of an input")


def _matching_output(transaction: Transaction, input_index: int) -> bytes:
    if input_index >= len(transaction.outputs):
        raise InvalidArgumentError("sighash_type", "SINGLE needs an output at the position of the input")
    return transaction.outputs[input_index].serialize()


def _merkle(leaves: list[bytes]) -> tuple[bytes, int]:
    """Root and height; a level of odd length is filled up with 32 zero bytes."""
    if not leaves:
        return bytes(32), 0
    height = 1
    while len(leaves) > 1:
        if len(leaves) % 2:
            leaves = [*leaves, bytes(32)]
        leaves = [sha256d(left + right) for left, right in zip(leaves[::2], leaves[1::2], strict=True)]
        height += 1
    return leaves[0], height


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def _u64(value: int) -> bytes:
    if value >= 2**64:
        raise InvalidArgumentError("outputs", "add up to more than 64 bits hold")
    return value.to_bytes(8, "little")
