"""The check before a join that no rule can override: whether each item is what it claims to be."""

from __future__ import annotations

from daemon.errors import Refused
from musig2.protocol.review.findings import Doubt, ItemReview, Review, ReviewStatus


class PolicyRefused(Refused):
    """Root of what the policy refuses."""


class MessageMismatch(PolicyRefused):
    """An item is not what it claims to be."""

    reason = "message_mismatch"


class ScriptMismatch(PolicyRefused):
    """An item spends an output that this aggregate key does not own."""

    reason = "script_mismatch"


class TransactionUnreadable(PolicyRefused):
    """The transaction of an item cannot be read."""

    reason = "transaction_unreadable"


class Unchecked(PolicyRefused):
    """An item is not known to be what is shown."""

    reason = "unchecked"


_REFUSALS: dict[Doubt, type[PolicyRefused]] = {
    Doubt.TRANSACTION_UNREADABLE: TransactionUnreadable,
    Doubt.SCRIPT_MISMATCH: ScriptMismatch,
}


class TransactionPolicy:
    """Refuses what is evidently wrong, by the reviews of `musig2.protocol.review`.

    A message about which nothing is claimed passes: whoever approves a join must know what it is (docs/wallets.md),
    or use `require_checked`.
    """

    def check_join(self, review: Review, pubkey: bytes, *, require_checked: bool = False) -> None:
        """Raises MessageMismatch, ScriptMismatch or TransactionUnreadable for an item that is not what it claims to be;
        with `require_checked` also Unchecked, for one that is not known to be what is shown.
        """
        if review.status is ReviewStatus.MISMATCH:
            index, item = next(each for each in enumerate(review.items) if each[1].status is ReviewStatus.MISMATCH)
            _refuse(index, item)
        for index, item in enumerate(review.items if require_checked else ()):
            if item.finding is not None or item.uncovered:
                _refuse_unchecked(index, item)


def _refuse(index: int, item: ItemReview) -> None:
    assert item.finding is not None
    refusal = _REFUSALS.get(item.finding.doubt, MessageMismatch)
    raise refusal(
        item.finding.sentence,
        errors=[{"path": item.finding.path, "message": item.finding.sentence}],
        item=index,
        uncheckedReason=item.finding.doubt.value,
    )


def _refuse_unchecked(index: int, item: ItemReview) -> None:
    if item.finding is None:
        left_open = ", ".join(item.uncovered)
        sentence = f"Item {index} signs the transaction shown, but others may still change: {left_open}."
        raise Unchecked(
            sentence,
            errors=[{"path": "metadata.sighashType", "message": sentence}],
            item=index,
            uncovered=list(item.uncovered),
        )
    raise Unchecked(
        f"Item {index} has not been checked. {item.finding.sentence}",
        errors=[{"path": item.finding.path, "message": item.finding.sentence}],
        item=index,
        uncheckedReason=item.finding.doubt.value,
    )
