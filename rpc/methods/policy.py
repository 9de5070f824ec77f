"""The owner's policy."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import policy

_PENDING = {
    "publicKey": samples.KEY_B,
    "rule": "large payments",
    "line": 9,
    "message": 'Rule "large payments" (line 9) of the policy asks its owner.',
    "approvalsNeeded": 2,
    "approvalsGiven": 1,
    "approvalsOf": ["anna", "ben", "clara"],
    "approvals": [{"label": "anna", "at": samples.NOW}],
}

APPROVALS = (
    Method(
        name="listPendingApprovals",
        params=policy.ListPendingApprovals,
        result=policy.PendingApprovals,
        scope=Scope.READ,
        summary="Requests that wait for the yes of an owner, with what they sign and the rule that asks.",
        example={},
        answer={"pending": [{**_PENDING, "request": samples.SIGNING_REQUEST}]},
    ),
    Method(
        name="approveRequest",
        params=policy.ApproveRequest,
        result=policy.Approved,
        scope=Scope.APPROVE,
        summary="Says yes to a request for an own key; once enough have, it joins.",
        example={"requestId": samples.REQUEST, "publicKey": samples.KEY_B},
        answer={
            "requestId": samples.REQUEST,
            "publicKey": samples.KEY_B,
            "approvalsNeeded": 2,
            "approvalsGiven": 1,
            "approvalsOf": ["anna", "ben", "clara"],
            "approvals": [{"label": "anna", "at": samples.NOW, "own": True}],
            "joined": False,
            "seq": 43,
        },
        changes=True,
    ),
)

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
