"""Parts of records and events as JSON values of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Item, Request
from musig2.protocol.review import ItemReview, Verdict, review_of
from musig2.protocol.wire.frames import Signed
from rpc.convert import tweak_to_json

Json: TypeAlias = dict[str, Any]


def item_json(item: Item) -> Json:
    """One message to sign as a client reads it."""
    shown: Json = {
        "message": item.msg.hex(),
        "tweaks": [tweak_to_json(tweak.kind, tweak.value) for tweak in item.tweaks],
        "aggregatedPublicKey": item.agg.hex(),
    }
    if item.input is not None:
        shown["inputIndex"] = item.input
    return shown


def items_json(request: Signed[Request]) -> list[Json]:
    """The messages of a request, each with what is known about it."""
    reviews = review_of(request).items
    return [item_json(item) | _review_json(review) for item, review in zip(request.record.items, reviews, strict=True)]


def _review_json(review: ItemReview) -> Json:
    shown: Json = {"checked": review.finding is None}
    if review.finding is not None:
        shown["uncheckedReason"] = review.finding.doubt.value
    if review.finding is not None and review.verdict is Verdict.MISMATCH:
        shown["uncheckedMessage"] = review.finding.sentence
    if review.uncovered:
        shown["uncovered"] = list(review.uncovered)
    return shown


def event_json(name: str, value: Any) -> Any:
    """A member of an event's data: peers as text, other bytes as hex."""
    match value:
        case bytes() if name == "peerId":
            return peer_text(value)
        case bytes():
            return value.hex()
        case tuple() | list():
            return [event_json(name, item) for item in value]
        case Mapping():
            return {key: event_json(key, item) for key, item in value.items()}
        case _:
            return value
