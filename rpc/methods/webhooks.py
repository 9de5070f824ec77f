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
        scope=Scope.ADMIN,
        summary="Posts events to a URL from now on, each until it is taken. The secret is shown only this once.",
        example=_ASKED,
        answer={"webhookId": _ID, "secret": samples.MESSAGE, "seq": 43},
        changes=True,
        secret=True,
        whole_daemon=True,
    ),
    Method(
        name="listWebhooks",
        params=NoParams,
        result=events.WebhookList,
        scope=Scope.ADMIN,
        summary="Webhooks, how far each has been told, and why one is not.",
        example={},
        answer={"webhooks": [{"webhookId": _ID, **_ASKED, "nextSeq": 42, "createdAt": samples.NOW}]},
        whole_daemon=True,
    ),
    Method(
        name="deleteWebhook",
        params=events.NameWebhook,
        result=events.WebhookDeleted,
        scope=Scope.ADMIN,
        summary="Ends a webhook.",
        example={"webhookId": _ID},
        answer={"deleted": True, "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
)
