"""What calls about events take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from musigd_client.record import Record
from musigd_client.wire import Inner


class EventFilter(Record):
    """Only events that concern all of these."""

    public_key: str | None = None
    session_id: str | None = None
    request_id: str | None = None


class Subscribed(Record):
    """Sent before the first notification of this subscription."""

    subscription: str
    next_seq: int
    log_id: str


class StoredEvent(Record):
    """One event. Two notifications, events:gap and events:progress, have no seq."""

    seq: int | None = None
    event: str
    time: int
    data: Mapping[str, Any]


class Gap(Record):
    """Events from..to are no longer available; read the lists again."""

    from_: int
    to: int


class EventPage(Record):
    """Events in order; ask again from `nextSeq`."""

    _inner: ClassVar[Inner] = {"events": (StoredEvent,), "gap": (Gap,)}
    events: tuple[StoredEvent, ...]
    next_seq: int
    log_id: str
    gap: Gap | None = None


class WebhookMade(Record):
    """Its id, and the secret that signs its deliveries, shown this once."""

    seq: int | None = None
    """position of the event log after the change"""
    webhook_id: str
    secret: str


class WebhookShown(Record):
    """A webhook. `problem`: why its deliveries are not taken; they are tried again as long as events are kept."""

    _inner: ClassVar[Inner] = {"filter": (EventFilter,)}
    webhook_id: str
    url: str
    events: tuple[str, ...] | None = None
    filter: EventFilter | None = None
    next_seq: int
    """the first event that was not delivered"""
    created_at: int
    problem: str | None = None
    problem_since: int | None = None


class WebhookList(Record):
    """Webhooks, the oldest first."""

    _inner: ClassVar[Inner] = {"webhooks": (WebhookShown,)}
    webhooks: tuple[WebhookShown, ...]


class WebhookDeleted(Record):
    """It is deleted."""

    seq: int | None = None
    """position of the event log after the change"""
    deleted: bool


class Rights(Record):
    """What a token may do, so that a program offers nothing that would be refused."""

    scopes: tuple[Literal["read", "discover", "sign", "approve", "webhook", "admin"], ...]
    """with those that each of them includes"""
    public_keys: tuple[str, ...] | None = None
    """the keys it is bound to; absent: every key"""
    create_key: bool
    methods: tuple[str, ...]
    """the methods that it may call, in the order of rpc.discover"""
