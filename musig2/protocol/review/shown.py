"""The transaction in a request's metadata, read strictly: what one reader skips or folds, another reads otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.records.records import Open
from musig2.protocol.review.findings import Doubt, Finding

TRANSACTION: Final = "metadata.transactionHex"
SPENT: Final = "metadata.spentOutputs"


class Unreadable(Exception):
    """Something is shown in a form that is none: where, and what is wrong there."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.path = path


def unreadable(path: str, problem: str) -> Finding:
    """The finding for a transaction that is not shown in full."""
    sentence = f"An item names its input, so the transaction must be shown in full, and {path} {problem}."
    return Finding(Doubt.TRANSACTION_UNREADABLE, sentence, path)


@dataclass(slots=True)
class Shown:
    """The transaction in a request's metadata, read when the first item asks for it."""

    metadata: Mapping[str, Open]
    _read: KeyPathSpend | Finding | None = None

    @property
    def anything(self) -> bool:
        """Whether the metadata hold anything of a transaction."""
        return any(self.metadata.get(name) is not None for name in ("transactionHex", "spentOutputs"))

    def spend(self) -> KeyPathSpend | Finding:
        """The transaction, or why it is none."""
        if self._read is None:
            try:
                self._read = _read_spend(self.metadata)
            except Unreadable as problem:
                self._read = unreadable(problem.path, str(problem))
        return self._read


def hex_of(given: Open) -> bytes | None:
    """Whole bytes as lower-case hex; None for anything else."""
    try:
        raw = bytes.fromhex(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return raw if raw is not None and raw.hex() == given else None


def _read_spend(metadata: Mapping[str, Open]) -> KeyPathSpend:
    transaction = _read_transaction(metadata.get("transactionHex"))
    outputs = metadata.get("spentOutputs")
    if outputs is None:
        raise Unreadable(SPENT, "is missing")
    if type(outputs) is not tuple:
        raise Unreadable(SPENT, "must be a list of {value, script}")
    if len(outputs) != len(transaction.inputs):
        counts = f"{len(outputs)} for {len(transaction.inputs)} input(s)"
        raise Unreadable(SPENT, f"must be one for each input, in their order, and there are {counts}")
    return KeyPathSpend(transaction, [_read_output(index, output) for index, output in enumerate(outputs)])


def _read_transaction(given: Open) -> Transaction:
    if given is None:
        raise Unreadable(TRANSACTION, "is missing")
    raw = hex_of(given)
    if raw is None:
        raise Unreadable(TRANSACTION, "must be whole bytes as lower-case hex digits")
    try:
        transaction = Transaction.parse(raw)
    except ValueError as problem:
        raise Unreadable(TRANSACTION, f"cannot be parsed ({problem})") from None
    if len({each.outpoint for each in transaction.inputs}) != len(transaction.inputs):
        raise Unreadable(TRANSACTION, "spends one output twice, which no node accepts")
    return transaction


def _read_output(index: int, given: Any) -> TxOutput:
    at = f"{SPENT}[{index}]"
    if not isinstance(given, Mapping):
        raise Unreadable(at, "must be {value, script}")
    value, script = given.get("value"), hex_of(given.get("script"))
    if type(value) is not int:
        raise Unreadable(f"{at}.value", "must be an amount in satoshis")
    if script is None:
        raise Unreadable(f"{at}.script", "must be whole bytes as lower-case hex digits")
    try:
        return TxOutput(value, script)
    except ValueError as problem:
        raise Unreadable(f"{at}.value", f"is none ({problem})") from None
