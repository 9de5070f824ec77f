"""Requests and sessions (phases 2 and 3)."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import requests, sessions

_REQUEST = {"requestId": samples.REQUEST}
_SESSION = {"sessionId": samples.SESSION}

REQUESTS = (
    Method(
        name="announceSigningRequest",
        params=requests.AnnounceSigningRequest,
        result=requests.Announced,
        scope=Scope.SIGN,
        summary="Asks exactly those keys to sign one message or up to 100; the creator joins at once.",
        example={
            "requiredPublicKeys": [samples.KEY_A, samples.KEY_B],
            "message": samples.MESSAGE,
            "publicKey": samples.KEY_A,
            "tweaks": [{"taprootMerkleRoot": None}],
            "metadata": {"amount": 5_000_000, "transactionType": "spend"},
        },
        answer={**_REQUEST, **_SESSION, "request": samples.SIGNING_REQUEST, "seq": 43},
        changes=True,
    ),
    Method(
        name="findSigningRequestsForMe",
        params=requests.FindSigningRequestsForMe,
        result=requests.RequestList,
        scope=Scope.READ,
        summary="Requests in which an own key is required, own ones included; open and signing ones unless asked.",
        example={"publicKey": samples.KEY_A},
        answer={"requests": [samples.SIGNING_REQUEST]},
    ),
    Method(
        name="getSigningRequest",
        params=requests.GetSigningRequest,
        result=requests.SigningRequest,
        scope=Scope.READ,
        summary="One request and how far each signer is.",
        example=_REQUEST,
        answer=samples.SIGNING_REQUEST,
    ),
    Method(
        name="joinSigningRequest",
        params=requests.JoinSigningRequest,
        result=requests.Joined,
        scope=Scope.SIGN,
        summary="Approves a request with an own key; after a dead attempt it starts the next.",
        example={**_REQUEST, "publicKey": samples.KEY_A},
        answer={**_REQUEST, **_SESSION, "joined": [samples.KEY_A], "seq": 43},
        changes=True,
    ),
    Method(
        name="declineSigningRequest",
        params=requests.DeclineSigningRequest,
        result=requests.Declined,
        scope=Scope.SIGN,
        summary="Refuses a request with an own key; that ends it for all.",
        example={**_REQUEST, "publicKey": samples.KEY_A, "reason": "amount too high"},
        answer={"declined": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="cancelSigningRequest",
        params=requests.CancelSigningRequest,
        result=requests.ChangedRequest,
        scope=Scope.SIGN,
        summary="Ends an own request for all.",
        example={**_REQUEST, "reason": "changed my mind"},
        answer={**samples.SIGNING_REQUEST, "state": "cancelled", "seq": 43},
        changes=True,
    ),
)

SESSIONS = (
    Method(
        name="getSession",
        params=sessions.GetSession,
        result=sessions.Session,
        scope=Scope.READ,
        summary="One attempt: its phase, who has sent what, and why it ended.",
        example=_SESSION,
        answer=samples.SIGNING_SESSION,
    ),
    Method(
        name="listSessions",
        params=sessions.ListSessions,
        result=sessions.SessionList,
        scope=Scope.READ,
        summary="Sessions of own keys, newest first, without closed ones.",
        example={"phase": "round1"},
        answer={"sessions": [samples.SIGNING_SESSION]},
    ),
    Method(
        name="startRound1",
        params=sessions.StartRound,
        result=sessions.ChangedSession,
        scope=Scope.SIGN,
        summary="Sends the nonces; only needed after autoAdvance: false. Safe to repeat; too early, it is remembered.",
        example=_SESSION,
        answer={**samples.SIGNING_SESSION, "seq": 43},
        changes=True,
    ),
    Method(
        name="startRound2",
        params=sessions.StartRound,
        result=sessions.ChangedSession,
        scope=Scope.SIGN,
        summary="Sends the partial signatures; only needed after autoAdvance: false. Safe to repeat; too early, it is "
        "remembered.",
        example=_SESSION,
        answer={**samples.SIGNING_SESSION, "phase": "round2", "seq": 43},
        changes=True,
    ),
    Method(
        name="getFinalSignature",
        params=sessions.GetFinalSignature,
        result=sessions.FinalSignature,
        scope=Scope.READ,
        summary="The signature, once it is there; with waitMs it waits. With requestId it follows attempts.",
        example={**_REQUEST, "waitMs": 60_000},
        answer={
            "signature": samples.SIGNATURE,
            "signatures": [samples.SIGNATURE],
            "aggregatedPublicKey": samples.AGGREGATE,
            "message": samples.MESSAGE,
            "messages": [samples.ITEM],
            "scheme": "lotus",
        },
        waits=True,
    ),
    Method(
        name="abortSession",
        params=sessions.AbortSession,
        result=sessions.ChangedSession,
        scope=Scope.SIGN,
        summary="Ends the request for this key. A partial signature already sent cannot be recalled.",
        example={**_SESSION, "reason": "taking too long"},
        answer={**samples.SIGNING_SESSION, "phase": "aborted", "reason": "aborted_by_owner", "seq": 43},
        changes=True,
    ),
    Method(
        name="closeSession",
        params=sessions.CloseSession,
        result=sessions.Closed,
        scope=Scope.SIGN,
        summary="Ends the request for this key and takes the session out of the lists; a signature is kept.",
        example=_SESSION,
        answer={"closed": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="notifyBroadcastComplete",
        params=sessions.NotifyBroadcastComplete,
        result=sessions.Notified,
        scope=Scope.SIGN,
        summary="Tells all signers that the transaction is out, which ends failover.",
        example={**_SESSION, "txid": samples.TXID},
        answer={**_SESSION, "txid": samples.TXID, "seq": 43},
        changes=True,
    ),
    Method(
        name="getEvidence",
        params=sessions.GetEvidence,
        result=sessions.Evidence,
        scope=Scope.SIGN,
        summary="Signed messages that prove a culprit, checkable by anyone.",
        example=_SESSION,
        answer={
            **_SESSION,
            "reason": "bad_partial",
            "culprits": [samples.KEY_B],
            "evidence": [samples.ENVELOPE],
        },
    ),
)
