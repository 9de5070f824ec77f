"""Advertising and finding signers (phases 0 and 1)."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import advertisements as ads
from rpc.models.wire import NoParams

_OWN = {**samples.ADVERTISEMENT, "publicKey": samples.KEY_A, "peerId": samples.PEER_A, "own": True}

DISCOVERY = (
    Method(
        name="advertiseSigner",
        params=ads.AdvertiseSigner,
        result=ads.Advertised,
        scope=Scope.DISCOVER,
        summary="Publishes an own key and its terms, so that others find it; it is renewed until withdrawn.",
        example={
            "publicKey": samples.KEY_A,
            "criteria": samples.CRITERIA,
            "ttl": samples.DAY,
            "metadata": {"nickname": "Alice", "fees": 0},
        },
        answer={**_OWN, "reach": {"direct": 3, "gossip": 5, "dht": True}, "seq": 43},
        changes=True,
    ),
    Method(
        name="withdrawAdvertisement",
        params=ads.WithdrawAdvertisement,
        result=ads.Withdrawn,
        scope=Scope.DISCOVER,
        summary="Withdraws an own advertisement everywhere.",
        example={"publicKey": samples.KEY_A},
        answer={"withdrawn": True, "seq": 43},
        changes=True,
    ),
    Method(
        name="listAdvertisements",
        params=NoParams,
        result=ads.AdvertisementList,
        scope=Scope.READ,
        summary="Own advertisements in force.",
        example={},
        answer={"advertisements": [_OWN]},
    ),
    Method(
        name="findAvailableSigners",
        params=ads.FindAvailableSigners,
        result=ads.FoundSigners,
        scope=Scope.READ,
        summary="Signers whose terms match, each with its signed advertisement.",
        example={"transactionType": "swap", "minAmount": 10_000_000, "maxResults": 10},
        answer={"signers": [samples.ADVERTISEMENT], "sources": {"directory": 1}, "revision": 7},
    ),
    Method(
        name="subscribeToSignerDiscovery",
        params=ads.SubscribeToSignerDiscovery,
        result=ads.FollowedTypes,
        scope=Scope.DISCOVER,
        summary="Follows transaction types: each new signer is announced by signer:discovered. Kept across restarts.",
        example={"transactionTypes": ["swap"]},
        answer={"transactionTypes": ["swap"], "seq": 43},
        changes=True,
    ),
    Method(
        name="unsubscribeFromSignerDiscovery",
        params=ads.UnsubscribeFromSignerDiscovery,
        result=ads.FollowedTypes,
        scope=Scope.DISCOVER,
        summary="Stops following some transaction types, or all.",
        example={"transactionTypes": ["swap"]},
        answer={"transactionTypes": [], "seq": 43},
        changes=True,
    ),
)
