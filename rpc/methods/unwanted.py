"""Requests and creators that an owner does not want to see."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import requests
from rpc.models.wire import NoParams

_REQUEST = {"requestId": samples.REQUEST}
_CREATOR = {"publicKey": samples.KEY_B}

UNWANTED = (
    Method(
        name="dismissRequest",
        params=requests.DismissRequest,
        result=requests.Dismissed,
        scope=Scope.SIGN,
        summary="Hides a request from lists, without telling anybody; a join, or dismissed: false, brings it back.",
        example=_REQUEST,
        answer={**_REQUEST, "dismissed": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="muteCreator",
        params=requests.MuteCreator,
        result=requests.Muted,
        scope=Scope.SIGN,
        summary="Takes no more requests of a creator, and hides those that no own key has joined.",
        example=_CREATOR,
        answer={**_CREATOR, "muted": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="unmuteCreator",
        params=requests.MuteCreator,
        result=requests.Muted,
        scope=Scope.SIGN,
        summary="Takes requests of a creator again; what it asked meanwhile comes when it asks again.",
        example=_CREATOR,
        answer={**_CREATOR, "muted": False, "seq": 43},
        changes=True,
    ),
    Method(
        name="listMutedCreators",
        params=NoParams,
        result=requests.MutedList,
        scope=Scope.READ,
        summary="Creators whose requests are not taken.",
        example={},
        answer={"creators": [{**_CREATOR, "since": samples.SIGNING_REQUEST["createdAt"]}]},
    ),
)
