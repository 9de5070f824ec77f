"""The event stream: what can be followed, and the two ways of following it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel
from pydantic_core import PydanticCustomError

from config.text.nearest import did_you_mean
from rpc.models.event_kinds import EVENTS
from rpc.models.values import Count, Hex32, Millis, PublicKey
from rpc.models.wire import Change, Changed, Many, Params, Shown, Value

_PREFIXES = sorted({f"{name.partition(':')[0]}:*" for name in EVENTS})


def check_pattern(pattern: str) -> str:
    """An event name, or `prefix:*`; anything else is refused, so that a typing mistake is not silence for ever."""
    known = pattern in EVENTS or (pattern.endswith(":*") and any(name.startswith(pattern[:-1]) for name in EVENTS))
    if not known:
        raise PydanticCustomError(
            "event",
            "must be the name of an event, or such as session:*{guess}",
            {"guess": did_you_mean(pattern, (*EVENTS, *_PREFIXES))},
        )
    return pattern


class EventFilter(Value):
    """Only events that concern all of these."""

    public_key: PublicKey | None = None
    session_id: Hex32 | None = None
    request_id: Hex32 | None = None


EventPattern = Annotated[str, AfterValidator(check_pattern)]
EventPatterns = Annotated[Many[EventPattern], Field(min_length=1, max_length=64)]
LogId = Annotated[str, Field(min_length=1, max_length=64)]


class Subscribe(Params):
    """Follow events on this WebSocket. `fromSeq` 0 is the oldest kept; absent is from now."""

    events: EventPatterns | None = None
    from_seq: Count | None = None
    log_id: LogId | None = None
    filter: EventFilter | None = None


class Subscribed(Shown):
    """Sent before the first notification of this subscription."""

    subscription: str
    next_seq: Count
    log_id: str


class Unsubscribe(Params):
    """Ends a subscription of this connection."""

    subscription: Annotated[str, Field(min_length=1, max_length=64)]


class Unsubscribed(RootModel[bool]):
    """Always true."""


class GetEvents(Params):
    """A page of events from `fromSeq` on, waiting for the first one up to `waitMs`."""

    from_seq: Count
    log_id: LogId | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    wait_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    events: EventPatterns | None = None
    filter: EventFilter | None = None


class StoredEvent(Shown):
    """One event. Two notifications, events:gap and events:progress, have no seq."""

    seq: Count | None = None
    event: str
    time: Millis
    data: dict[str, Any]


class Gap(Value):
    """Events from..to are no longer available; read the lists again."""

    from_seq: Annotated[Count, Field(alias="from")]
    to_seq: Annotated[Count, Field(alias="to")]


class EventPage(Shown):
    """Events in order; ask again from `nextSeq`."""

    events: Many[StoredEvent]
    next_seq: Count
    log_id: str
    gap: Gap | None = None


WebhookId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class CreateWebhook(Params):
    """Posts events as `getEvents` shows them. Its answer is a secret, so it takes no idempotency key."""

    url: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="https://, or http:// on this machine; put no secret into it"
    )
    events: EventPatterns | None = None
    filter: EventFilter | None = None


class WebhookMade(Changed):
    """Its id, and the secret that signs its deliveries, shown this once."""

    webhook_id: str
    secret: str


class WebhookShown(Shown):
    """A webhook. `problem`: why its deliveries are not taken; they are tried again as long as events are kept."""

    webhook_id: str
    url: str
    events: Many[str] | None = None
    filter: EventFilter | None = None
    next_seq: Count = Field(description="the first event that was not delivered")
    created_at: Millis
    problem: str | None = None
    problem_since: Millis | None = None


class WebhookList(Shown):
    """Webhooks, the oldest first."""

    webhooks: Many[WebhookShown]


class NameWebhook(Change):
    """Names a webhook."""

    webhook_id: WebhookId


class WebhookDeleted(Changed):
    """It is deleted."""

    deleted: bool
