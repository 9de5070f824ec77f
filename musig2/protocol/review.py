"""What each message of a request is: the hash of an input of the transaction shown, something unknown, or a lie.

A creator may show one transaction and have another one signed: nothing in the protocol ties the two together. So every
item that names its input is held against the transaction in the request's metadata (`transactionHex`, `spentOutputs`,
`sighashType`), and it has one of three verdicts:

    checked    the message is the key-path hash of that input, and the input spends the item's aggregate key
    blind      nothing is claimed that could be checked: no input is named, or no transaction is shown
    mismatch   something is claimed that does not hold, or cannot be read: never to be signed

Damaged bytes beside a named input are a mismatch and not blind, or whoever wants to avoid the check damages the bytes.
Pure functions of the record: every daemon comes to the same verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from musig2.chain.address import pays_to
from musig2.chain.sighash import (
    ANYONECANPAY,
    NONE,
    SIGHASH_DEFAULT,
    SIGHASH_LOTUS_ALL,
    SINGLE,
    KeyPathSpend,
    SighashError,
)
from musig2.chain.transaction import Transaction, TxOutput
from musig2.errors import InvalidArgumentError
from musig2.protocol.records.records import Item, Open, Request
from musig2.protocol.wire.frames import Signed

TRANSACTION: Final = "metadata.transactionHex"
SPENT: Final = "metadata.spentOutputs"
SIGHASH: Final = "metadata.sighashType"
_BASE: Final = 0x03


class Verdict(StrEnum):
    """What is known about one message."""

    CHECKED = "checked"
    BLIND = "blind"
    MISMATCH = "mismatch"


class Doubt(StrEnum):
    """Why an item is not checked; stable, clients read them."""

    NO_TRANSACTION = "no_transaction"  # blind
    NO_INPUT_INDEX = "no_input_index"  # blind
    TRANSACTION_UNREADABLE = "transaction_unreadable"
    NO_SUCH_INPUT = "no_such_input"
    SIGHASH_TYPE = "sighash_type"
    SCRIPT_MISMATCH = "script_mismatch"
    MESSAGE_MISMATCH = "message_mismatch"


BLIND: Final = frozenset((Doubt.NO_TRANSACTION, Doubt.NO_INPUT_INDEX))


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an item is not checked: a stable code, a sentence that says what to do, and the member it is about.

    `path` is that of `announceSigningRequest {messages}`, such as `metadata.spentOutputs[1].value`.
    """

    doubt: Doubt
    sentence: str
    path: str


@dataclass(frozen=True, slots=True)
class ItemReview:
    """The verdict on one item. `uncovered`: what of the transaction shown its signature leaves open to change.

    `uncovered` is empty unless the sighash type says otherwise: `outputs`, `otherOutputs`, `otherInputs`.
    """

    finding: Finding | None = None
    uncovered: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Checked, blind or mismatch."""
        if self.finding is None:
            return Verdict.CHECKED
        return Verdict.BLIND if self.finding.doubt in BLIND else Verdict.MISMATCH


@dataclass(frozen=True, slots=True)
class Review:
    """The verdicts on all items of a request, in order."""

    items: tuple[ItemReview, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of them."""
        found = {item.verdict for item in self.items}
        return next(verdict for verdict in (Verdict.MISMATCH, Verdict.BLIND, Verdict.CHECKED) if verdict in found)


@lru_cache(maxsize=256)
def review_of(request: Signed[Request]) -> Review:
    """`review`, remembered by the request's id: it is asked for whenever the request is shown."""
    return review(request.record)


def review(request: Request) -> Review:
    """The verdict on each item. Costs one hash for each input and each item, and nothing where no input is named."""
    shown = _Shown(request.metadata)
    return Review(tuple(_item(request, shown, index, item) for index, item in enumerate(request.items)))


class _Unreadable(Exception):
    """The transaction is shown in a form that is none: where, and what is wrong there."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.path = path


def _unreadable(path: str, problem: str) -> Finding:
    sentence = f"An item names its input, so the transaction must be shown in full, and {path} {problem}."
    return Finding(Doubt.TRANSACTION_UNREADABLE, sentence, path)


class _Shown:
    """The transaction in a request's metadata, read when the first item asks for it."""

    def __init__(self, metadata: Mapping[str, Open]) -> None:
        self._metadata = metadata
        self._read: KeyPathSpend | Finding | None = None

    @property
    def anything(self) -> bool:
        """Whether the metadata hold anything of a transaction."""
        return any(self._metadata.get(name) is not None for name in ("transactionHex", "spentOutputs"))

    def spend(self) -> KeyPathSpend | Finding:
        """The transaction, or why it is none."""
        if self._read is None:
            try:
                self._read = _read_spend(self._metadata)
            except _Unreadable as unreadable:
                self._read = _unreadable(unreadable.path, str(unreadable))
        return self._read


def _item(request: Request, shown: _Shown, index: int, item: Item) -> ItemReview:
    at = f"messages[{index}]"
    if not shown.anything:
        sentence = "The request shows no transaction, so nobody can see what this message stands for."
        return ItemReview(Finding(Doubt.NO_TRANSACTION, sentence, TRANSACTION))
    if item.input is None:
        sentence = "The item does not name its input (inputIndex), so it has not been held against the transaction."
        return ItemReview(Finding(Doubt.NO_INPUT_INDEX, sentence, f"{at}.inputIndex"))
    spend = shown.spend()
    if isinstance(spend, Finding):
        return ItemReview(spend)
    finding = _input_problem(request, spend, at, item) or _script_problem(request, spend, at, item)
    if finding is None:
        finding = _message_problem(request, spend, at, item)
    return ItemReview(finding, () if finding is not None else _uncovered(request, spend))


def _input_problem(request: Request, spend: KeyPathSpend, at: str, item: Item) -> Finding | None:
    inputs = len(spend.transaction.inputs)
    if item.input is not None and item.input < inputs:
        return None
    sentence = f"inputIndex is {item.input}, and the transaction shown has {inputs} input(s), counted from 0."
    return Finding(Doubt.NO_SUCH_INPUT, sentence, f"{at}.inputIndex")


def _script_problem(request: Request, spend: KeyPathSpend, at: str, item: Item) -> Finding | None:
    assert item.input is not None
    script = spend.spent_outputs[item.input].script_pubkey
    if pays_to(request.scheme, item.agg, script):
        return None
    sentence = (
        f"The output that input {item.input} spends does not belong to these keys with these tweaks: were the tweaks "
        "forgotten? aggregateKeys gives the script that it must have; leave inputIndex out for anything but a key path."
    )
    return Finding(Doubt.SCRIPT_MISMATCH, sentence, f"{at}.tweaks")


def _message_problem(request: Request, spend: KeyPathSpend, at: str, item: Item) -> Finding | None:
    assert item.input is not None
    kind = request.metadata.get("sighashType")
    if kind is not None and type(kind) is not int:
        return Finding(Doubt.SIGHASH_TYPE, "metadata.sighashType must be a number.", SIGHASH)
    try:
        hash_shown = spend.sighash(request.scheme, item.input, kind)
    except SighashError as problem:
        sentence = f"metadata.sighashType is none that {request.scheme} has for input {item.input}: {problem}."
        return Finding(Doubt.SIGHASH_TYPE, sentence, SIGHASH)
    except InvalidArgumentError as problem:
        return _unreadable(TRANSACTION, f"has no hash ({problem})")
    if hash_shown == item.msg:
        return None
    sentence = (
        f"The message for input {item.input} is not the hash of the transaction that the request shows: "
        "ask its creator, or decline it."
    )
    return Finding(Doubt.MESSAGE_MISMATCH, sentence, f"{at}.message")


def _uncovered(request: Request, spend: KeyPathSpend) -> tuple[str, ...]:
    kind = request.metadata.get("sighashType")
    if type(kind) is not int:
        kind = SIGHASH_LOTUS_ALL if request.scheme == "lotus" else SIGHASH_DEFAULT
    open_parts = []
    if kind & _BASE == NONE:
        open_parts.append("outputs")
    if kind & _BASE == SINGLE and len(spend.transaction.outputs) > 1:
        open_parts.append("otherOutputs")
    if kind & ANYONECANPAY:
        open_parts.append("otherInputs")
    return tuple(open_parts)


def _read_spend(metadata: Mapping[str, Open]) -> KeyPathSpend:
    transaction = _read_transaction(metadata.get("transactionHex"))
    outputs = metadata.get("spentOutputs")
    if outputs is None:
        raise _Unreadable(SPENT, "is missing")
    if type(outputs) is not tuple:
        raise _Unreadable(SPENT, "must be a list of {value, script}")
    if len(outputs) != len(transaction.inputs):
        counts = f"{len(outputs)} for {len(transaction.inputs)} input(s)"
        raise _Unreadable(SPENT, f"must be one for each input, in their order, and there are {counts}")
    return KeyPathSpend(transaction, [_read_output(index, output) for index, output in enumerate(outputs)])


def _read_transaction(given: Open) -> Transaction:
    if given is None:
        raise _Unreadable(TRANSACTION, "is missing")
    raw = _hex(given)
    if raw is None:
        raise _Unreadable(TRANSACTION, "must be whole bytes as lower-case hex digits")
    try:
        return Transaction.parse(raw)
    except ValueError as problem:
        raise _Unreadable(TRANSACTION, f"cannot be parsed ({problem})") from None


def _read_output(index: int, given: Any) -> TxOutput:
    at = f"{SPENT}[{index}]"
    if not isinstance(given, Mapping):
        raise _Unreadable(at, "must be {value, script}")
    value, script = given.get("value"), _hex(given.get("script"))
    if type(value) is not int:
        raise _Unreadable(f"{at}.value", "must be an amount in satoshis")
    if script is None:
        raise _Unreadable(f"{at}.script", "must be whole bytes as lower-case hex digits")
    try:
        return TxOutput(value, script)
    except ValueError as problem:
        raise _Unreadable(f"{at}.value", f"is none ({problem})") from None


def _hex(given: Open) -> bytes | None:
    """Strictly: what one reader skips or folds, another may read as something else."""
    try:
        raw = bytes.fromhex(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return raw if raw is not None and raw.hex() == given else None
