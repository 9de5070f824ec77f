"""The audit log."""

from __future__ import annotations

from rpc.caller import Scope
from rpc.methods import samples
from rpc.methods.method import Method
from rpc.models import audit

_ANCHOR = f"2:{samples.MESSAGE}"

AUDIT = (
    Method(
        name="getAuditLog",
        params=audit.ReadAuditLog,
        result=audit.AuditPage,
        scope=Scope.ADMIN,
        summary="What was done with the keys, by whom: lines of the audit log, in order.",
        example={"fromSeq": 2, "limit": 1},
        answer={
            "lines": [
                {
                    "seq": 2,
                    "time": samples.NOW,
                    "what": "partial",
                    "facts": {
                        "publicKey": samples.KEY_A,
                        "requestId": samples.REQUEST,
                        "sessionId": samples.SESSION,
                        "items": 1,
                    },
                    "hash": samples.MESSAGE,
                }
            ],
            "nextSeq": 3,
            "anchor": _ANCHOR,
        },
        whole_daemon=True,
    ),
    Method(
        name="verifyAuditLog",
        params=audit.VerifyAuditLog,
        result=audit.AuditVerified,
        scope=Scope.ADMIN,
        summary="Whether the stored audit log is what was written, and holds anchors that were printed before.",
        example={"anchors": [_ANCHOR]},
        answer={"valid": True, "lines": 2, "anchor": _ANCHOR},
        whole_daemon=True,
    ),
)
