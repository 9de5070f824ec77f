"""The owner's policy."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import policy

POLICY = (
    Method(
        name="explainPolicy",
        params=policy.ExplainPolicy,
        result=policy.PolicyExplained,
        scope=Scope.READ,
        summary="What the policy says of a request for one own key: the rule, its line, and the values it met.",
        example={"requestId": samples.REQUEST, "publicKey": samples.KEY_B},
        answer={
            "requestId": samples.REQUEST,
            "publicKey": samples.KEY_B,
            "active": True,
            "verdict": "join",
            "rule": "small payments",
            "line": 4,
            "message": 'Rule "small payments" (line 4) of the policy joins it.',
            "approved": False,
            "values": {
                "creator": samples.KEY_A,
                "cosigners": [samples.KEY_A],
                "transactionType": "spend",
                "review": ["checked"],
                "amount": 1_000,
                "fee": 1_000,
                "feeRate": 6_211,
                "destinations": [],
            },
            "weighed": [
                {
                    "rule": "small payments",
                    "member": "max_amount",
                    "line": 6,
                    "limit": 100_000,
                    "value": 1_000,
                    "holds": True,
                }
            ],
        },
    ),
    Method(
        name="reloadPolicy",
        params=policy.ReloadPolicy,
        result=policy.PolicyReloaded,
        scope=Scope.ADMIN,
        summary="Reads the policy file again, and looks anew at what waits. A broken file changes nothing.",
        example={},
        answer={"active": True, "rules": ["small payments"], "default": "ask", "seq": 43},
        changes=True,
        whole_daemon=True,
    ),
)
