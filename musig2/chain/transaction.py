"""A transaction of either chain as plain values: parse it, build it, serialize it."""

from dataclasses import dataclass
from typing import Final, Self

from musig2.errors import InvalidArgumentError

_SEGWIT_MARKER: Final = b"\x00\x01"
_SIZES: Final = {0xFD: 2, 0xFE: 4, 0xFF: 8}  # the prefixes of a compact size and how many bytes follow
_MAX_VALUE: Final = 2**53  # more than either chain will ever have


@dataclass(frozen=True, slots=True)
class TxInput:
    """One output being spent. `txid` in the byte order of the transaction, the reverse of what explorers show."""

    txid: bytes
    vout: int
    script_sig: bytes = b""
    sequence: int = 0xFFFFFFFF
    witness: tuple[bytes, ...] = ()  # Bitcoin only

    def __post_init__(self) -> None:
        if len(self.txid) != 32:
            raise InvalidArgumentError("txid", "must be 32 bytes")
        _check_u32(vout=self.vout, sequence=self.sequence)

    @property
    def outpoint(self) -> bytes:
        return self.txid + self.vout.to_bytes(4, "little")

    def serialize(self) -> bytes:
        return self.outpoint + with_size(self.script_sig) + self.sequence.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class TxOutput:
    value: int  # sats
    script_pubkey: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.value < _MAX_VALUE:
            raise InvalidArgumentError("value", "must be an amount in sats below 2**53")

    def serialize(self) -> bytes:
        return self.value.to_bytes(8, "little") + with_size(self.script_pubkey)


@dataclass(frozen=True, slots=True)
class Transaction:
    version: int
    inputs: tuple[TxInput, ...]
    outputs: tuple[TxOutput, ...]
    locktime: int = 0

    def __post_init__(self) -> None:
        _check_u32(version=self.version, locktime=self.locktime)

    def serialize(self) -> bytes:
        """The bytes a node accepts; with Bitcoin's witness form if an input has a witness."""
        witnesses = [
            compact_size(len(each.witness)) + b"".join(with_size(item) for item in each.witness) for each in self.inputs
        ]
        segwit = any(each.witness for each in self.inputs)
        parts = [self.version.to_bytes(4, "little"), _SEGWIT_MARKER if segwit else b""]
        parts += [compact_size(len(self.inputs)), *(each.serialize() for each in self.inputs)]
        parts += [compact_size(len(self.outputs)), *(each.serialize() for each in self.outputs)]
        parts += [*(witnesses if segwit else ()), self.locktime.to_bytes(4, "little")]
        return b"".join(parts)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Exactly the transactions that `serialize` writes; ValueError for anything else."""
        reader = _Reader(data)
        version = reader.number(4)
        segwit = reader.skip(_SEGWIT_MARKER)
        inputs = tuple(_read_input(reader) for _ in range(reader.compact()))
        outputs = tuple(_read_output(reader) for _ in range(reader.compact()))
        if segwit:
            inputs = tuple(_with_witness(each, reader) for each in inputs)
        transaction = cls(version, inputs, outputs, reader.number(4))
        if transaction.serialize() != data:
            raise InvalidArgumentError("transaction", "has trailing bytes or an encoding that no node would write")
        return transaction


def compact_size(value: int) -> bytes:
    """Bitcoin's variable-length count."""
    if value < 0xFD:
        return bytes((value,))
    prefix = next(prefix for prefix, size in _SIZES.items() if value >> (8 * size) == 0)
    return bytes((prefix,)) + value.to_bytes(_SIZES[prefix], "little")


def _check_u32(**values: int) -> None:
    for name, value in values.items():
        if not 0 <= value < 2**32:
            raise InvalidArgumentError(name, "must fit in 32 bits")


def with_size(data: bytes) -> bytes:
    return compact_size(len(data)) + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise InvalidArgumentError("transaction", "ends too early")
        self._at += size
        return piece

    def skip(self, expected: bytes) -> bool:
        found = self._data.startswith(expected, self._at)
        self._at += len(expected) if found else 0
        return found

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def compact(self) -> int:
        first = self.number(1)
        return self.number(_SIZES[first]) if first in _SIZES else first

    def sized(self) -> bytes:
        return self.take(self.compact())


def _read_input(reader: _Reader) -> TxInput:
    return TxInput(reader.take(32), reader.number(4), reader.sized(), reader.number(4))


def _read_output(reader: _Reader) -> TxOutput:
    return TxOutput(reader.number(8), reader.sized())


def _with_witness(each: TxInput, reader: _Reader) -> TxInput:
    witness = tuple(reader.sized() for _ in range(reader.compact()))
    return TxInput(each.txid, each.vout, each.script_sig, each.sequence, witness)
