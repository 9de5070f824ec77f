"""The 32 bytes that a Taproot spend signs, on both chains. Pure functions of public data."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from musig2.chain.tapscript import KEY_PATH, SpendPath
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
_KEY_VERSION: Final = b"\x00"  # BIP-342
_BIP341_TYPES: Final = frozenset((0, 1, 2, 3, 0x81, 0x82, 0x83))


class SighashError(InvalidArgumentError):
    """There is no such hash: the type is none of the chain's, or names an output that does not exist."""


class KeyPathSpend:
    """A transaction with the outputs it spends, in the order of its inputs: what the hashes of all inputs share.

    The shared parts are computed once, so that the hashes of n inputs cost n steps and not n times n.
    """

    def __init__(self, transaction: Transaction, spent_outputs: Sequence[TxOutput]) -> None:
        if len(spent_outputs) != len(transaction.inputs):
            raise InvalidArgumentError("spent_outputs", "must be one for each input")
        self.transaction = transaction
        self.spent_outputs = tuple(spent_outputs)

    def sighash(
        self, scheme_name: str, input_index: int, sighash_type: int | None = None, path: SpendPath = KEY_PATH
    ) -> bytes:
        """The hash of that scheme's chain; its ordinary type where none is given. Raises as the two below.

        `path` is Bitcoin's: InvalidArgumentError for another one than the key path on Lotus.
        """
        if scheme_name == "lotus":
            if path != KEY_PATH:
                raise InvalidArgumentError("path", "must be the key path: lotus has neither annex nor leaf here")
            return self.lotus(input_index, SIGHASH_LOTUS_ALL if sighash_type is None else sighash_type)
        return self.bip341(input_index, SIGHASH_DEFAULT if sighash_type is None else sighash_type, path)

    def lotus(self, input_index: int, sighash_type: int = SIGHASH_LOTUS_ALL) -> bytes:
        """lotus-lib (Taproot): SIGHASH_LOTUS of a key-path spend. InvalidArgumentError, SighashError."""
        self._check(input_index)
        base = sighash_type & _BASE
        if sighash_type & ~(_BASE | LOTUS | ANYONECANPAY) or sighash_type & LOTUS != LOTUS or base == 0:
            raise SighashError("sighash_type", "must be ALL, NONE or SINGLE with LOTUS, with or without ANYONECANPAY")
        everyone = not sighash_type & ANYONECANPAY
        transaction = self.transaction
        spending, spent = transaction.inputs[input_index], self.spent_outputs[input_index]
        parts = [
            _u32(sighash_type),
            sha256d(b"\x00" + spending.outpoint + _u32(spending.sequence) + spent.serialize()),
        ]
        if everyone:
            parts += [_u32(input_index), self._spent_root[0], _u64(sum(output.value for output in self.spent_outputs))]
        if base == ALL:
            parts.append(_u64(sum(output.value for output in transaction.outputs)))
        parts.append(_u32(transaction.version))
        if everyone:
            parts += [self._inputs_root[0], bytes((self._inputs_root[1],))]
        if base == SINGLE:
            parts.append(sha256d(self._matching_output(input_index)))
        if base == ALL:
            parts += [self._outputs_root[0], bytes((self._outputs_root[1],))]
        parts.append(_u32(transaction.locktime))
        return sha256d(b"".join(parts))

    def bip341(self, input_index: int, sighash_type: int = SIGHASH_DEFAULT, path: SpendPath = KEY_PATH) -> bytes:
        """BIP-341, "Common signature message", with BIP-342's extension where a leaf is spent. Raises as `lotus`."""
        self._check(input_index)
        if sighash_type not in _BIP341_TYPES:
            raise SighashError("sighash_type", "must be DEFAULT, ALL, NONE or SINGLE, or these with ANYONECANPAY")
        everyone, base = not sighash_type & ANYONECANPAY, sighash_type & _BASE
        spending, spent = self.transaction.inputs[input_index], self.spent_outputs[input_index]
        parts = [bytes((0, sighash_type)), _u32(self.transaction.version), _u32(self.transaction.locktime)]
        if everyone:
            parts.append(self._inputs_hashes)
        if base in (SIGHASH_DEFAULT, ALL):
            parts.append(self._outputs_hash)
        parts.append(bytes((2 * (path.leaf is not None) + (path.annex is not None),)))  # spend type
        if everyone:
            parts.append(_u32(input_index))
        else:
            parts += [spending.outpoint, spent.serialize(), _u32(spending.sequence)]
        if path.annex is not None:
            parts.append(sha256(with_size(path.annex)))
        if base == SINGLE:
            parts.append(sha256(self._matching_output(input_index)))
        if path.leaf is not None:
            parts += [path.leaf.hash, _KEY_VERSION, _u32(path.code_separator)]
        return tagged_hash("TapSighash", *parts)

    @cached_property
    def _spent_root(self) -> tuple[bytes, int]:
        return _merkle([sha256d(output.serialize()) for output in self.spent_outputs])

    @cached_property
    def _inputs_root(self) -> tuple[bytes, int]:
        return _merkle([sha256d(each.outpoint + _u32(each.sequence)) for each in self.transaction.inputs])

    @cached_property
    def _outputs_root(self) -> tuple[bytes, int]:
        return _merkle([sha256d(output.serialize()) for output in self.transaction.outputs])

    @cached_property
    def _inputs_hashes(self) -> bytes:
        """sha_prevouts, sha_amounts, sha_scriptpubkeys, sha_sequences."""
        inputs, spent = self.transaction.inputs, self.spent_outputs
        return b"".join(
            (
                sha256(b"".join(each.outpoint for each in inputs)),
                sha256(b"".join(_u64(output.value) for output in spent)),
                sha256(b"".join(with_size(output.script_pubkey) for output in spent)),
                sha256(b"".join(_u32(each.sequence) for each in inputs)),
            )
        )

    @cached_property
    def _outputs_hash(self) -> bytes:
        return sha256(b"".join(output.serialize() for output in self.transaction.outputs))

    def _check(self, input_index: int) -> None:
        if not 0 <= input_index < len(self.transaction.inputs):
            raise InvalidArgumentError("input_index", "must be the position of an input")

    def _matching_output(self, input_index: int) -> bytes:
        if input_index >= len(self.transaction.outputs):
            raise SighashError("sighash_type", "SINGLE needs an output at the position of the input")
        return self.transaction.outputs[input_index].serialize()


def sighash_lotus(
    transaction: Transaction,
    input_index: int,
    spent_outputs: Sequence[TxOutput],
    sighash_type: int = SIGHASH_LOTUS_ALL,
) -> bytes:
    """`KeyPathSpend.lotus` of one input; `spent_outputs` are those of all inputs, in order."""
    return KeyPathSpend(transaction, spent_outputs).lotus(input_index, sighash_type)


def sighash_bip341(
    transaction: Transaction,
    input_index: int,
    spent_outputs: Sequence[TxOutput],
    sighash_type: int = SIGHASH_DEFAULT,
    path: SpendPath = KEY_PATH,
) -> bytes:
    """`KeyPathSpend.bip341` of one input; `spent_outputs` are those of all inputs, in order."""
    return KeyPathSpend(transaction, spent_outputs).bip341(input_index, sighash_type, path)


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
