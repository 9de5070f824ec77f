"""What calls about events take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from musigd_client.wire import Inner


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Only events that concern all of these."""

    public_key: str | None = None
    session_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Subscribed:
    """Sent before the first notification of this subscription."""

    subscription: str
    next_seq: int
    log_id: str


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """One event. Two notifications, events:gap and events:progress, have no seq."""

    seq: int | None = None
    event: str
    time: int
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Events from..to are not to be had here; read the lists again."""

    from_: int
    to: int


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Events in order; ask again from `nextSeq`."""

    _inner: ClassVar[Inner] = {"events": (StoredEvent,), "gap": (Gap,)}
    events: tuple[StoredEvent, ...]
    next_seq: int
    log_id: str
    gap: Gap | None = None


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a token may do, so that a program offers nothing that would be refused."""

    scopes: tuple[Literal["read", "discover", "sign", "admin"], ...]
    """with those that each of them includes"""
    public_keys: tuple[str, ...] | None = None
    """the keys it is bound to; absent: every key"""
    create_key: bool
    methods: tuple[str, ...]
    """the methods that it may call, in the order of rpc.discover"""
