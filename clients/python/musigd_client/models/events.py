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
    """Events from..to are not to be had here; read the lists again."""

    from_: int
    to: int


class EventPage(Record):
    """Events in order; ask again from `nextSeq`."""

    _inner: ClassVar[Inner] = {"events": (StoredEvent,), "gap": (Gap,)}
    events: tuple[StoredEvent, ...]
    next_seq: int
    log_id: str
    gap: Gap | None = None


class Rights(Record):
    """What a token may do, so that a program offers nothing that would be refused."""

    scopes: tuple[Literal["read", "discover", "sign", "admin"], ...]
    """with those that each of them includes"""
    public_keys: tuple[str, ...] | None = None
    """the keys it is bound to; absent: every key"""
    create_key: bool
    methods: tuple[str, ...]
    """the methods that it may call, in the order of rpc.discover"""
