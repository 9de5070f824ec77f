"""Methods of the client: events. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rpc.client.methods.asking import Asking
from rpc.models.events import EventFilter, EventPage, Subscribed, Unsubscribed
from rpc.models.node import OpenRpc


class EventsMethods(Asking):
    """Events."""

    async def subscribe(
        self,
        *,
        events: Sequence[str] | None = None,
        from_seq: int | None = None,
        log_id: str | None = None,
        filter_: EventFilter | Mapping[str, Any] | None = None,
    ) -> Subscribed:
        """Follows events on this WebSocket, from a seq on or from now."""
        return await self._ask(
            Subscribed,
            "subscribe",
            {
                "events": events,
                "fromSeq": from_seq,
                "logId": log_id,
                "filter": filter_,
            },
        )

    async def unsubscribe(self, *, subscription: str) -> Unsubscribed:
        """Ends a subscription of this WebSocket."""
        return await self._ask(Unsubscribed, "unsubscribe", {"subscription": subscription})

    async def get_events(
        self,
        *,
        from_seq: int,
        log_id: str | None = None,
        limit: int | None = None,
        wait_ms: int | None = None,
        events: Sequence[str] | None = None,
        filter_: EventFilter | Mapping[str, Any] | None = None,
    ) -> EventPage:
        """A page of events from a seq on; with waitMs it waits for the first."""
        return await self._ask(
            EventPage,
            "getEvents",
            {
                "fromSeq": from_seq,
                "logId": log_id,
                "limit": limit,
                "waitMs": wait_ms,
                "events": events,
                "filter": filter_,
            },
        )

    async def discover(self) -> OpenRpc:
        """This API as an OpenRPC document, generated from the models."""
        return await self._ask(OpenRpc, "rpc.discover", {})
