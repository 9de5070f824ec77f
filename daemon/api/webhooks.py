"""Handlers of `createWebhook`, `listWebhooks` and `deleteWebhook`."""

from __future__ import annotations

from yarl import URL

from daemon.access.idempotency import keeping
from daemon.errors import InvalidParam
from daemon.webhooks.deliveries import Deliveries
from daemon.webhooks.hooks import Webhook
from daemon.webhooks.places import Places, is_this_machine
from rpc.caller import Caller
from rpc.models import events as models
from rpc.models.wire import NoParams
from rpc.ports import Once


class WebhookMethods:
    """Webhooks through the API."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    async def create_webhook(self, caller: Caller, params: models.CreateWebhook) -> models.WebhookMade:
        """Raises InvalidParam, TooManyWebhooks."""
        _require_url(params.url, self._deliveries.places)
        narrow = None if params.filter is None else params.filter.model_dump(by_alias=True, exclude_none=True)
        hook = await self._deliveries.hooks.add(caller, params.url, params.events, narrow or None)
        self._deliveries.follow(hook)
        return models.WebhookMade(webhook_id=hook.hook_id.hex(), secret=self._deliveries.secret(hook.hook_id))

    async def list_webhooks(self, caller: Caller, params: NoParams) -> models.WebhookList:
        hooks = [each for each in self._deliveries.hooks.all() if caller.over_all or each.token == caller.token_id]
        return models.WebhookList(webhooks=tuple(map(self._shown, hooks)))

    async def delete_webhook(
        self, caller: Caller, params: models.NameWebhook, once: Once | None = None
    ) -> models.WebhookDeleted:
        """Raises NotFound."""
        answer = models.WebhookDeleted(deleted=True)
        hook_id = bytes.fromhex(params.webhook_id)
        await self._deliveries.hooks.remove(caller, hook_id, keeping(once, answer))
        self._deliveries.drop(hook_id)
        return answer

    def _shown(self, hook: Webhook) -> models.WebhookShown:
        problem = self._deliveries.problem(hook.hook_id)
        return models.WebhookShown(
            webhook_id=hook.hook_id.hex(),
            url=hook.url,
            events=hook.events,
            filter=None if hook.filter is None else models.EventFilter.model_validate(hook.filter, by_name=False),
            next_seq=hook.next_seq,
            created_at=hook.created_at,
            problem=None if problem is None else problem[0],
            problem_since=None if problem is None else problem[1],
        )


def _require_url(url: str, places: Places) -> None:
    """Raises InvalidParam for what is neither https nor on this machine, or holds what a log should not show.

    It is read as aiohttp will read it: two readers may disagree which part is the host.
    """
    try:
        parts = URL(url)
        host = parts.host or ""
    except ValueError:
        raise InvalidParam("url", "is no URL") from None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidParam("url", "must name a host, in printable ASCII")
    if parts.user is not None or parts.password is not None or parts.fragment:
        raise InvalidParam("url", "must not contain a user, password or fragment; the signature shows who posts")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise InvalidParam("url", "must begin with https://; http:// is for this machine alone (127.0.0.1, localhost)")
    refusal = places.refusal(host)
    if refusal is not None:
        raise InvalidParam("url", f"is not posted to: {refusal}")
