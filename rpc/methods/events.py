"""Following events, and the description of this API."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.methods.webhooks import WEBHOOKS
from rpc.models import events, node
from rpc.models.wire import NoParams

STREAM = (
    Method(
        name="subscribe",
        params=events.Subscribe,
        result=events.Subscribed,
        scope=Scope.READ,
        summary="Follows events on this WebSocket, from a seq on or from now.",
        example={"events": ["session:*", "signing-request:received"], "fromSeq": 1},
        answer={"subscription": "1", "nextSeq": 42, "logId": samples.LOG},
        websocket=True,
    ),
    Method(
        name="unsubscribe",
        params=events.Unsubscribe,
        result=events.Unsubscribed,
        scope=Scope.READ,
        summary="Ends a subscription of this WebSocket.",
        example={"subscription": "1"},
        answer=True,
        websocket=True,
    ),
    Method(
        name="getEvents",
        params=events.GetEvents,
        result=events.EventPage,
        scope=Scope.READ,
        summary="A page of events from a seq on; with waitMs it waits for the first.",
        example={"fromSeq": 1, "limit": 2, "events": ["session:*"]},
        answer={
            "events": [
                {
                    "seq": 41,
                    "event": "session:ready",
                    "time": samples.NOW,
                    "data": {
                        "publicKeys": [samples.KEY_A],
                        "requestId": samples.REQUEST,
                        "sessionId": samples.SESSION,
                        "attempt": 1,
                    },
                }
            ],
            "nextSeq": 42,
            "logId": samples.LOG,
        },
        waits=True,
    ),
)

DESCRIPTION = (
    Method(
        name="getRights",
        params=NoParams,
        result=node.Rights,
        scope=Scope.READ,
        summary="What the token of this call may do: its scopes, its keys, and the methods that it may call.",
        example={},
        answer={
            "scopes": ["read", "sign"],
            "publicKeys": [samples.KEY_A],
            "createKey": False,
            "methods": ["getInfo", "joinSigningRequest"],
        },
    ),
    Method(
        name="rpc.discover",
        params=NoParams,
        result=node.OpenRpc,
        scope=Scope.READ,
        summary="This API as an OpenRPC document, generated from the models.",
        example={},
        answer={"openrpc": "1.3.2", "info": {"title": "musigd", "version": "1"}, "methods": []},
    ),
)

EVENTS = (*STREAM, *WEBHOOKS, *DESCRIPTION)
