"""What a review finds about the messages of a request, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from musig2.protocol.review.decoded import DecodedTransaction


class ReviewStatus(StrEnum):
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
    SPEND_PATH = "spend_path"
    SCRIPT_MISMATCH = "script_mismatch"
    MESSAGE_MISMATCH = "message_mismatch"
    TEXT_UNREADABLE = "text_unreadable"


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
    """What is known about one item. `uncovered`: what of the transaction shown its signature leaves open to change.

    `uncovered` is empty unless the sighash type says otherwise: `outputs`, `otherOutputs`, `otherInputs`.
    """

    finding: Finding | None = None
    uncovered: tuple[str, ...] = ()

    @property
    def status(self) -> ReviewStatus:
        """Checked, blind or mismatch."""
        if self.finding is None:
            return ReviewStatus.CHECKED
        return ReviewStatus.BLIND if self.finding.doubt in BLIND else ReviewStatus.MISMATCH


@dataclass(frozen=True, slots=True)
class SignedText:
    """A message that is no transaction: the text, and the tag under which it is hashed."""

    tag: str
    text: str


@dataclass(frozen=True)
class Review:
    """What is known about all items of a request, in order.

    `transaction` and `text` are there where a checked item signs them, and nothing is a mismatch.
    """

    items: tuple[ItemReview, ...]
    transaction: DecodedTransaction | None = None
    text: SignedText | None = None

    @cached_property
    def status(self) -> ReviewStatus:
        """The worst of them."""
        found = {item.status for item in self.items}
        worst_first = (ReviewStatus.MISMATCH, ReviewStatus.BLIND, ReviewStatus.CHECKED)
        return next(status for status in worst_first if status in found)

    @property
    def first_finding(self) -> Finding | None:
        """The finding of the first item with the status of the whole; None if all items are checked."""
        return next((item.finding for item in self.items if item.finding and item.status is self.status), None)

    @property
    def uncovered(self) -> tuple[str, ...]:
        """What any of the signatures leaves open, in a fixed order."""
        found = {name for item in self.items for name in item.uncovered}
        return tuple(name for name in ("outputs", "otherOutputs", "otherInputs") if name in found)
