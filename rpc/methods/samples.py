"""Values for the examples: the generator point and its multiples as keys, a Lotus Taproot key of the first two."""

from __future__ import annotations

from typing import Any

KEY_A = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
KEY_B = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
SEALED_KEY = (  # of KEY_A, under "battery staple"
    "musigd-key-1.AAAAAAAAAAMAAAAAEAAAALMIgUut1nFMqK1KbvY33f8Ceb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5hsb"
    "3R1cwA6UhleQQIQith4CTI_VR6FIAyjaAzi66HQLxin9bSWcdAbRiBwb0C8VqNOvfeTcMOyU-7owO3NsN0ASM1wpgpeamgRx2SM5gY"
)
PRIVATE_KEY_C = "00" * 31 + "03"
KEY_C = "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
PEER_A = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
PEER_B = "12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE"
ADDRESS_B = f"/ip4/127.0.0.1/tcp/4328/p2p/{PEER_B}"
AGGREGATE = "0311e9f965a979d23723cfecf4c04fdb21613cfc309106d63c8371e5e233cc1fd6"
MESSAGE = "8c4fb0aba820cdf409f4d930d6835cb9f86211608108c90cb443a4355bd9971d"
REQUEST = "a1" * 32
SESSION = "b2" * 32
TXID = "c3" * 32
SIGNATURE = "d4" * 64
ENVELOPE = "866d616476657274697365"
LOG = "0b8f3c1e5d7a4f62"
NOW = 1_760_000_000_000
DAY = 86_400_000

KEY: dict[str, Any] = {
    "publicKey": KEY_A,
    "scheme": "lotus",
    "label": "savings",
    "external": False,
    "paused": False,
    "createdAt": NOW,
}
AGGREGATED: dict[str, Any] = {
    "aggregatedPublicKey": AGGREGATE,
    "internalPublicKey": "031e152449596818f7dbe4453cc5cfb57bafe25a816bcfae2ad6d7f19861b737f2",
    "xOnlyPublicKey": AGGREGATE[2:],
    "publicKeys": [KEY_A, KEY_B],
    "scheme": "lotus",
    "scriptPubKey": f"625121{AGGREGATE}",
    "address": "lotus_JGEGSXYim6BwKeCd8zBLjRzEbFNSfDogTM2cXJuLcFt4YTdZ9ng",
}
# MESSAGE is the hash of this transaction: it spends one output of the aggregated key, to itself, for a fee of 1 000.
SHOWN: dict[str, Any] = {
    "transactionHex": f"0200000001{TXID}0000000000ffffffff0158474c000000000024625121{AGGREGATE}00000000",
    "spentOutputs": [{"value": 5_000_000, "script": f"625121{AGGREGATE}"}],
    "amount": 5_000_000,
    "transactionType": "spend",
}
ITEM: dict[str, Any] = {"message": MESSAGE, "tweaks": [{"taprootMerkleRoot": None}], "inputIndex": 0}
REVIEWED: dict[str, Any] = {**ITEM, "aggregatedPublicKey": AGGREGATE, "checked": True}
REVIEW: dict[str, Any] = {
    "status": "checked",
    "transaction": {
        "version": 2,
        "lockTime": 0,
        "inputs": [
            {
                "txid": TXID,
                "vout": 0,
                "value": 5_000_000,
                "script": f"625121{AGGREGATE}",
                "address": AGGREGATED["address"],
                "sequence": 4_294_967_295,
                "signed": True,
            }
        ],
        "outputs": [
            {
                "value": 4_999_000,
                "script": f"625121{AGGREGATE}",
                "address": AGGREGATED["address"],
                "returns": "aggregate",
            }
        ],
        "inputAmount": 5_000_000,
        "outputAmount": 4_999_000,
        "fee": 1_000,
        "feeRate": 6_211,
        "size": 161,
    },
}
CRITERIA: dict[str, Any] = {"transactionTypes": ["spend", "swap"], "minAmount": 1_000_000, "maxAmount": 100_000_000}
ADVERTISEMENT: dict[str, Any] = {
    "publicKey": KEY_B,
    "scheme": "lotus",
    "peerId": PEER_B,
    "multiaddrs": [ADDRESS_B],
    "criteria": CRITERIA,
    "metadata": {"nickname": "Bob", "fees": 0},
    "timestamp": NOW,
    "expiresAt": NOW + DAY,
    "signature": SIGNATURE,
    "envelope": ENVELOPE,
    "own": False,
    "localReputation": {"score": 90, "completed": 12, "failed": 0, "aborted": 1, "responseTime": 850},
}
SIGNING_REQUEST: dict[str, Any] = {
    "requestId": REQUEST,
    "sessionId": SESSION,
    "attempt": 1,
    "state": "open",
    "scheme": "lotus",
    "requiredPublicKeys": [KEY_A, KEY_B],
    "messages": [REVIEWED],
    "message": MESSAGE,
    "tweaks": ITEM["tweaks"],
    "aggregatedPublicKey": AGGREGATE,
    "creator": KEY_A,
    "createdAt": NOW,
    "expiresAt": NOW + DAY,
    "metadata": SHOWN,
    "election": {"method": "lexicographic"},
    "signers": [
        {"publicKey": KEY_A, "peerId": PEER_A, "own": True, "delivered": True, "joined": True, "declined": False},
        {"publicKey": KEY_B, "peerId": PEER_B, "own": False, "delivered": True, "joined": False, "declined": False},
    ],
    "partialReleased": False,
    "review": REVIEW,
    "outsideCriteria": [],
    "envelope": ENVELOPE,
}
SIGNING_SESSION: dict[str, Any] = {
    "sessionId": SESSION,
    "requestId": REQUEST,
    "attempt": 1,
    "phase": "round1",
    "scheme": "lotus",
    "aggregatedPublicKey": AGGREGATE,
    "message": MESSAGE,
    "messages": [REVIEWED],
    "signers": [
        {"publicKey": KEY_A, "peerId": PEER_A, "joined": True, "nonce": True, "partialSignature": False},
        {"publicKey": KEY_B, "peerId": PEER_B, "joined": True, "nonce": False, "partialSignature": False},
    ],
    "coordinator": {"publicKey": KEY_A, "peerId": PEER_A},
    "deadline": NOW + 600_000,
    "partialReleased": False,
}
