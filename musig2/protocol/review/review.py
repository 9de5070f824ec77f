"""What each message of a request is: the hash of an input of the transaction shown, or of a text; unknown; or wrong.

A creator may show one transaction and have another one signed: nothing in the protocol ties the two together. So every
item that names its input is held against the transaction in the request's metadata (`transactionHex`, `spentOutputs`,
`sighashType`, `spendPaths`), every other one against the text in it (`messageText`), and it has one of three verdicts:

    checked    the message is the hash of that input, and the input spends the item's aggregate key; or of the text
    blind      nothing is claimed that could be checked: no input is named, or no transaction is shown
    mismatch   something is claimed that does not hold, or cannot be read: never to be signed

Damaged bytes beside a named input are a mismatch and not blind, or whoever wants to avoid the check damages the bytes.
Pure functions of the record: every daemon comes to the same result.
"""

from __future__ import annotations

from typing import Final

from musig2.chain.address import pays_to, script_pubkey
from musig2.chain.sighash import (
    ANYONECANPAY,
    NONE,
    SIGHASH_DEFAULT,
    SIGHASH_LOTUS_ALL,
    SINGLE,
    KeyPathSpend,
    SighashError,
)
from musig2.chain.tapscript import KEY_PATH
from musig2.errors import InvalidArgumentError
from musig2.protocol.records.records import Item, Request
from musig2.protocol.review.decoded import DecodedTransaction, decode, witness_size
from musig2.protocol.review.findings import Doubt, Finding, ItemReview, Review, ReviewStatus
from musig2.protocol.review.remembered import Remembered
from musig2.protocol.review.shown import TRANSACTION, Shown, Unreadable, unreadable
from musig2.protocol.review.spend_paths import ItemPath, item_paths
from musig2.protocol.review.texts import read_text, text_hash
from musig2.protocol.wire.frames import Signed
from musig2.tweaks import TweakKind

_BASE = 0x03


_reviews: Final[Remembered[Review]] = Remembered()


def review_of(request: Signed[Request]) -> Review:
    """`review`, remembered by the request's id: it is asked for whenever the request is shown."""
    return _reviews.get(request.id, len(request.envelope), lambda: review(request.record))


def review(request: Request) -> Review:
    """The verdict on each item. Costs one hash for each input and each item, and nothing where no input is named."""
    return _Reviewer(request).review()


class _Reviewer:
    """One request under review; what its items share is read once."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._shown = Shown(request.metadata)
        self._paths: dict[int, ItemPath] = {}
        self._misread: Finding | None = None
        try:
            self._text = read_text(request.metadata)
        except Unreadable as problem:
            self._text = None
            self._unreadable_text: Finding | None = _finding(Doubt.TEXT_UNREADABLE, problem)
        else:
            self._unreadable_text = None
        try:
            self._paths.update(item_paths(request.metadata, len(request.items)))
        except Unreadable as problem:
            self._misread = _finding(Doubt.SPEND_PATH, problem)

    def review(self) -> Review:
        """The review of all items, with what is signed if nothing is a mismatch."""
        items = tuple(self._item(index, item) for index, item in enumerate(self._request.items))
        found = Review(items)
        if found.status is ReviewStatus.MISMATCH:
            return found
        return Review(items, self._decoded(found), self._text)

    def _item(self, index: int, item: Item) -> ItemReview:
        at = f"messages[{index}]"
        if item.input is None and (self._text is not None or self._unreadable_text is not None):
            return ItemReview(self._unreadable_text or self._text_problem(at, item))
        if not self._shown.anything:
            sentence = "The request shows no transaction, so nobody can see what this message stands for."
            return ItemReview(Finding(Doubt.NO_TRANSACTION, sentence, TRANSACTION))
        if item.input is None:
            sentence = "The item does not name its input (inputIndex), so it has not been held against the transaction."
            return ItemReview(Finding(Doubt.NO_INPUT_INDEX, sentence, f"{at}.inputIndex"))
        spend = self._shown.spend()
        if isinstance(spend, Finding):
            return ItemReview(spend)
        if self._misread is not None:
            return ItemReview(self._misread)
        finding = self._input_problem(spend, at, item)
        path = self._path(index)
        finding = finding or self._script_problem(spend, at, item, path) or self._message_problem(spend, at, item, path)
        return ItemReview(finding, () if finding is not None else self._uncovered(path))

    def _path(self, index: int) -> ItemPath:
        return self._paths.get(index) or ItemPath(self._request.metadata.get("sighashType"))

    def _text_problem(self, at: str, item: Item) -> Finding | None:
        assert self._text is not None
        if text_hash(self._text) == item.msg:
            return None
        sentence = (
            "The message is not BIP-340's tagged hash of metadata.messageText under messageTag (signed-text/v1 "
            "where there is none): ask its creator, or decline it."
        )
        return Finding(Doubt.MESSAGE_MISMATCH, sentence, f"{at}.message")

    def _input_problem(self, spend: KeyPathSpend, at: str, item: Item) -> Finding | None:
        inputs = len(spend.transaction.inputs)
        if item.input is not None and item.input < inputs:
            return None
        sentence = f"inputIndex is {item.input}, and the transaction shown has {inputs} input(s), counted from 0."
        return Finding(Doubt.NO_SUCH_INPUT, sentence, f"{at}.inputIndex")

    def _script_problem(self, spend: KeyPathSpend, at: str, item: Item, path: ItemPath) -> Finding | None:
        assert item.input is not None
        script = spend.spent_outputs[item.input].script_pubkey
        scheme = self._request.scheme
        if scheme == "lotus" and path.path != KEY_PATH:
            return _finding(Doubt.SPEND_PATH, Unreadable(path.at, "has an annex or a leaf, and lotus has none here"))
        if path.path.leaf is not None:
            return _leaf_problem(item, path, script)
        if pays_to(scheme, item.agg, script):
            return None
        sentence = (
            f"The output that input {item.input} spends does not belong to these keys with these tweaks: were the "
            "tweaks forgotten? aggregateKeys gives the script that it must have; metadata.spendPaths names a leaf."
        )
        return Finding(Doubt.SCRIPT_MISMATCH, sentence, f"{at}.tweaks")

    def _message_problem(self, spend: KeyPathSpend, at: str, item: Item, path: ItemPath) -> Finding | None:
        assert item.input is not None
        kind, scheme = path.kind, self._request.scheme
        if kind is not None and type(kind) is not int:
            return Finding(Doubt.SIGHASH_TYPE, f"{path.kind_at} must be a number.", path.kind_at)
        try:
            hash_shown = spend.sighash(scheme, item.input, kind, path.path)
        except SighashError as problem:
            sentence = f"{path.kind_at} is none that {scheme} has for input {item.input}: {problem}."
            return Finding(Doubt.SIGHASH_TYPE, sentence, path.kind_at)
        except InvalidArgumentError as problem:
            return unreadable(TRANSACTION, f"has no hash ({problem})")
        if hash_shown == item.msg:
            return None
        sentence = (
            f"The message for input {item.input} is not the hash of the transaction that the request shows: "
            "ask its creator, or decline it."
        )
        return Finding(Doubt.MESSAGE_MISMATCH, sentence, f"{at}.message")

    def _kind(self, path: ItemPath) -> int:
        if type(path.kind) is int:
            return path.kind
        return SIGHASH_LOTUS_ALL if self._request.scheme == "lotus" else SIGHASH_DEFAULT

    def _uncovered(self, path: ItemPath) -> tuple[str, ...]:
        kind = self._kind(path)
        open_parts = []
        if kind & _BASE == NONE:
            open_parts.append("outputs")
        if kind & _BASE == SINGLE:  # also beside the only output: another can be added, as their number is not signed
            open_parts.append("otherOutputs")
        if kind & ANYONECANPAY:
            open_parts.append("otherInputs")
        return tuple(open_parts)

    def _decoded(self, found: Review) -> DecodedTransaction | None:
        """The transaction, if a checked item signs it."""
        spend = self._shown.spend() if self._shown.anything else None
        checked = [
            (index, item)
            for index, (item, verdict) in enumerate(zip(self._request.items, found.items, strict=True))
            if item.input is not None and verdict.finding is None
        ]
        if not checked or not isinstance(spend, KeyPathSpend):
            return None
        sizes: dict[int, int] = {}
        for index, item in checked:
            path = self._path(index)
            leaf = b"" if path.path.leaf is None else path.path.leaf.script
            assert item.input is not None
            sizes[item.input] = witness_size(self._kind(path), leaf, path.control_block, path.path.annex)
        scripts = {script_pubkey(self._request.scheme, item.agg) for _, item in checked if _without_tree(item)}
        return decode(
            self._request.scheme,
            spend.transaction,
            spend.spent_outputs,
            witness_sizes=sizes,
            scripts=scripts,
            fixed=not found.uncovered,
        )


def _without_tree(item: Item) -> bool:
    """Whether its aggregate key certainly commits to no scripts; any other tweak may hide a tree (BIP-341)."""
    return not item.tweaks or (item.tweaks[-1].kind == TweakKind.TAPROOT and item.tweaks[-1].value is None)


def _leaf_problem(item: Item, path: ItemPath, script: bytes) -> Finding | None:
    try:
        committed = path.leaf_script(item.agg[1:])
    except Unreadable as problem:
        return _finding(Doubt.SPEND_PATH, problem)
    if committed == script:
        return None
    wrong = Unreadable(f"{path.at}.controlBlock", f"does not lead to the output that input {item.input} spends")
    return _finding(Doubt.SPEND_PATH, wrong)


def _finding(doubt: Doubt, problem: Unreadable) -> Finding:
    return Finding(doubt, f"{problem.path} {problem}.", problem.path)
