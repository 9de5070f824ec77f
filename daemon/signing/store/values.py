"""Parts of records and events as JSON values of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Item, Request
from musig2.protocol.review.findings import ItemReview, ReviewStatus
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed
from rpc import answers
from rpc.convert import tweak_to_json


def tweaks_json(item: Item) -> list[answers.TaprootTweak | answers.PlainTweak]:
    """The tweaks of one message."""
    return [tweak_to_json(tweak.kind, tweak.value) for tweak in item.tweaks]


def item_json(item: Item) -> answers.MessageItem:
    """One message to sign as a client reads it."""
    shown: answers.MessageItem = {
        "message": item.msg.hex(),
        "tweaks": tweaks_json(item),
        "aggregatedPublicKey": item.agg.hex(),
    }
    if item.input is not None:
        shown["inputIndex"] = item.input
    return shown


def items_json(request: Signed[Request]) -> list[answers.ReviewedItem]:
    """The messages of a request, each with what is known about it."""
    reviews = review_of(request).items
    return [_reviewed(item, review) for item, review in zip(request.record.items, reviews, strict=True)]


def _reviewed(item: Item, review: ItemReview) -> answers.ReviewedItem:
    shown: answers.ReviewedItem = {
        "message": item.msg.hex(),
        "tweaks": tweaks_json(item),
        "aggregatedPublicKey": item.agg.hex(),
        "checked": review.finding is None,
    }
    if item.input is not None:
        shown["inputIndex"] = item.input
    if review.finding is not None:
        shown["uncheckedReason"] = review.finding.doubt.value
    if review.finding is not None and review.status is ReviewStatus.MISMATCH:
        shown["uncheckedMessage"] = review.finding.sentence
    if review.uncovered:
        shown["uncovered"] = list(review.uncovered)
    return shown


def event_json(name: str, value: Any) -> Any:
    """A member of an event's data: peers as text, other bytes as hex."""
    if isinstance(value, bytes):
        return peer_text(value) if name == "peerId" else value.hex()
    if isinstance(value, tuple | list):
        return [event_json(name, item) for item in value]
    if isinstance(value, Mapping):
        return {key: event_json(key, item) for key, item in value.items()}
    return value
