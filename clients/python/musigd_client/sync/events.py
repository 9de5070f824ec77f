"""Calls about events.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from musigd_client.models.events import EventFilter, EventPage, Rights, WebhookDeleted, WebhookList, WebhookMade
from musigd_client.sync.asking import Asking


class EventsMethods(Asking):
    """Events."""

    def get_events(
        self,
        *,
        from_seq: int,
        log_id: str | None = None,
        limit: int | None = None,
        wait_ms: int | None = None,
        events: Sequence[str] | None = None,
        filter_: EventFilter | Mapping[str, Any] | None = None,
    ) -> EventPage:
        """A page of events from a seq on; with waitMs it waits for the first.

        Scope `read`.

        - `from_seq`: integer
        - `log_id`: text (1 to 64 characters)
        - `limit`: integer (1 to 1000)
        - `wait_ms`: integer (0 to 60000)
        - `events`: array (1 to 64) of text
        - `filter_`: EventFilter
        """
        return self._ask(
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

    def create_webhook(
        self, *, url: str, events: Sequence[str] | None = None, filter_: EventFilter | Mapping[str, Any] | None = None
    ) -> WebhookMade:
        """Posts events to a URL from now on, each until it is taken. The secret is shown only this once.

        Scope `webhook`.

        - `url`: text (1 to 500 characters); https://, or http:// on this machine; put no secret into it
        - `events`: array (1 to 64) of text
        - `filter_`: EventFilter
        """
        return self._ask(WebhookMade, "createWebhook", {"url": url, "events": events, "filter": filter_})

    def list_webhooks(self) -> WebhookList:
        """Webhooks, how far each has been told, and why one is not. Only `admin` sees those of other tokens.

        Scope `webhook`.
        """
        return self._ask(WebhookList, "listWebhooks", {})

    def delete_webhook(self, *, webhook_id: str, idempotency_key: str | None = None) -> WebhookDeleted:
        """Ends a webhook; so does the end of the token that made it.

        Scope `webhook`.

        - `webhook_id`: 16 bytes hex
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(WebhookDeleted, "deleteWebhook", {"webhookId": webhook_id, "idempotencyKey": idempotency_key})

    def get_rights(self) -> Rights:
        """What the token of this call may do: its scopes, its keys, and the methods that it may call.

        Scope `read`.
        """
        return self._ask(Rights, "getRights", {})

    def discover(self) -> Mapping[str, Any]:
        """This API as an OpenRPC document, generated from the models.

        Scope `read`.
        """
        found: Mapping[str, Any] = self._ask(None, "rpc.discover", {})
        return found
