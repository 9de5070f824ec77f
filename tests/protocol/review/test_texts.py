"""Messages that are no transaction: the hash of a text under a tag."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from musig2.chain.transaction import Transaction, TxInput, TxOutput
from musig2.protocol.records.records import Item
from musig2.protocol.review.findings import ReviewStatus, SignedText
from musig2.protocol.review.review import review
from tests.protocol.review.review_world import KEY, doubt, doubts, request, shown


def hashed(text: str, tag: str = "signed-text/v1") -> bytes:
    digest = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(digest * 2 + text.encode()).digest()


def asked(msg: bytes, index: int | None = None, **metadata: Any) -> Any:
    return request("lotus", [Item(msg, (), KEY, index)], metadata)


def test_the_hash_of_the_text_is_checked_under_the_ordinary_tag_and_a_stated_one() -> None:
    assert doubt(asked(hashed("I own this."), messageText="I own this.")) is None
    tagged = asked(hashed("Pay\nBob", "my wallet/v2"), messageText="Pay\nBob", messageTag="my wallet/v2")
    assert doubt(tagged) is None
    assert review(tagged).text == SignedText("my wallet/v2", "Pay\nBob")
    assert review(tagged).status is ReviewStatus.CHECKED


@pytest.mark.parametrize(
    ("text", "tag"), [("I own that.", None), ("I own this. ", None), ("I own this.", "other"), ("", None)]
)
def test_another_text_or_tag_is_a_mismatch(text: str, tag: str | None) -> None:
    found = doubt(asked(hashed("I own this."), messageText=text, messageTag=tag))
    assert found == ("message_mismatch", "messages[0].message")


@pytest.mark.parametrize(
    ("metadata", "path"),
    [
        ({"messageText": 7}, "metadata.messageText"),
        ({"messageText": b"x"}, "metadata.messageText"),
        ({"messageText": "pay \u202e00\u202c"}, "metadata.messageText"),
        ({"messageText": "pay\u200b"}, "metadata.messageText"),
        ({"messageText": "x", "messageTag": "TapSighash"}, "metadata.messageTag"),
        ({"messageText": "x", "messageTag": "BIP0340/challenge"}, "metadata.messageTag"),
        ({"messageText": "x", "messageTag": "musigd/lotus/join/v1"}, "metadata.messageTag"),
        ({"messageText": "x", "messageTag": "lightninginvoice_requestsignature"}, "metadata.messageTag"),
        ({"messageText": "x", "messageTag": ""}, "metadata.messageTag"),
        ({"messageText": "x", "messageTag": 7}, "metadata.messageTag"),
    ],
)
def test_a_text_that_cannot_be_shown_or_a_tag_of_something_else_is_a_mismatch(
    metadata: dict[str, Any], path: str
) -> None:
    text, tag = metadata["messageText"], metadata.get("messageTag")
    msg = hashed(str(text), str(tag or "signed-text/v1"))
    assert doubt(asked(msg, **metadata)) == ("text_unreadable", path)


def test_a_tag_without_a_text_claims_nothing() -> None:
    assert doubt(asked(bytes(32), messageTag="anything")) == ("no_transaction", "metadata.transactionHex")


def test_beside_a_transaction_the_text_is_what_items_without_an_input_sign() -> None:
    script = b"\x62\x51\x21" + KEY
    transaction = Transaction(2, (TxInput(bytes(32), 0),), (TxOutput(1, script),))
    metadata = shown(transaction, [TxOutput(2, script)], messageText="Paid.")
    items = [Item(hashed("Paid."), (), KEY, None), Item(bytes(32), (), KEY, 0)]
    assert doubts(request("lotus", items, metadata)) == [None, ("message_mismatch", "messages[1].message")]
    wrong = Item(bytes(32), (), KEY, None)
    assert doubts(request("lotus", [wrong], metadata)) == [("message_mismatch", "messages[0].message")]
