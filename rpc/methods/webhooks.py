"""Events posted to URLs."""

from __future__ import annotations

from typing import Any, Final

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import events
from rpc.models.wire import NoParams

_ID: Final = "0b8f3c1e5d7a4f620b8f3c1e5d7a4f62"
_ASKED: Final[dict[str, Any]] = {"url": "https://wallet.example/musigd", "events": ["signing-request:*"]}

WEBHOOKS = (
    Method(
        name="createWebhook",
        params=events.CreateWebhook,
        result=events.WebhookMade,
        scope=Scope.WEBHOOK,
        summary="Posts events to a URL from now on, each until it is taken. The secret is shown only this once.",
        example=_ASKED,
        answer={"webhookId": _ID, "secret": samples.MESSAGE, "seq": 43},
        changes=True,
        secret=True,
    ),
    Method(
        name="listWebhooks",
        params=NoParams,
        result=events.WebhookList,
        scope=Scope.WEBHOOK,
        summary="Webhooks, how far each has been told, and why one is not. Only `admin` sees those of other tokens.",
        example={},
        answer={"webhooks": [{"webhookId": _ID, **_ASKED, "nextSeq": 42, "createdAt": samples.NOW}]},
    ),
    Method(
        name="deleteWebhook",
        params=events.NameWebhook,
        result=events.WebhookDeleted,
        scope=Scope.WEBHOOK,
        summary="Ends a webhook; so does the end of the token that made it.",
        example={"webhookId": _ID},
        answer={"deleted": True, "seq": 43},
        changes=True,
    ),
)
