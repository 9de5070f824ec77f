"""The audit log: what was done with the keys, by whom."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from rpc.models.values import Hex32, Millis
from rpc.models.wire import Many, Params, Shown

Anchor = Annotated[str, Field(pattern=r"^[0-9]{1,18}:[0-9a-f]{64}$")]


class ReadAuditLog(Params):
    """Lines from one position on."""

    from_seq: Annotated[int, Field(ge=0, le=2**53 - 1)] = Field(default=0, description="the first line wanted")
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class AuditLine(Shown):
    """One line. `hash` is over the line before, `seq`, `time` and the facts (docs/security.md)."""

    seq: int
    time: Millis
    what: str = Field(description="`call`, `partial` or the name of an event")
    facts: dict[str, Any]
    hash: Hex32


class AuditPage(Shown):
    """Lines in order. `anchor` is where the log stands: keep it elsewhere."""

    lines: Many[AuditLine]
    next_seq: int
    anchor: str


class VerifyAuditLog(Params):
    """Whether the stored log is what was written, and holds anchors that were printed before."""

    anchors: Annotated[Many[Anchor], Field(max_length=100)] = ()


class AuditVerified(Shown):
    """`problem` says where it shows that it is not."""

    valid: bool
    lines: int | None = Field(default=None, description="seq of the last line")
    anchor: str | None = None
    problem: str | None = None
