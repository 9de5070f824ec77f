"""The owner's policy: what it says of a request, and reading it anew."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from rpc.models.requests import SigningRequest
from rpc.models.values import Count, Cursor, Hex32, Millis, PageSize, PublicKey
from rpc.models.wire import Change, Changed, Many, OfScheme, Shown, misfit

PolicyVerdict = Literal["join", "ask", "refuse"]


class ExplainPolicy(OfScheme):
    """Names a request, and the own key that would sign it."""

    request_id: Hex32
    public_key: PublicKey


class WeighedCondition(Shown):
    """One condition of a rule, and the value that it met; `value` is absent where nothing is known."""

    rule: str
    member: str
    line: Count
    limit: Any
    value: Any = None
    holds: bool


class GivenApproval(Shown):
    """A token that said yes; the label is what `createToken` gave it, `owner` for the cookie and the socket."""

    label: str
    at: Millis
    until: Millis | None = None
    own: bool = Field(default=False, description="the token of this call said it")


class PolicyExplained(Shown):
    """What the policy says at this moment; nothing is changed by asking."""

    request_id: Hex32
    public_key: PublicKey
    active: bool = Field(description="false: there is no policy, every join waits for its owner")
    verdict: PolicyVerdict
    rule: str | None = Field(default=None, description="the rule that decided; absent: the default")
    line: Count | None = Field(default=None, description="where it stands in the file")
    message: str
    approved: bool = Field(description="an owner has said yes, as far as the policy asks")
    approvals_needed: Count = 1
    approvals_given: Count = Field(default=0, description="how many of `approvals` count")
    approvals_of: Many[str] = Field(default=(), description="the labels whose approval counts; empty: any token's")
    approvals: Many[GivenApproval] = ()
    values: dict[str, Any] = Field(description="what the rules look at, as far as it is known")
    weighed: Many[WeighedCondition] = Field(
        default=(), description="the conditions of all rules up to the one that decided, in order"
    )


class ListPendingApprovals(OfScheme):
    """What waits for an owner, of all own keys that the token may use, or of one."""

    public_key: PublicKey | None = None
    limit: PageSize = 50
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _names_a_key(self) -> Self:
        if self.scheme is not None and self.public_key is None:
            raise misfit("scheme", "goes with publicKey")
        return self


class PendingApproval(Shown):
    """A request that waits for the yes of an owner of this key."""

    public_key: PublicKey
    rule: str | None = Field(default=None, description="the rule that asks; absent: the default, or no policy")
    line: Count | None = None
    message: str
    approvals_needed: Count
    approvals_given: Count = Field(default=0, description="how many of `approvals` count")
    approvals_of: Many[str] = Field(default=(), description="the labels whose approval counts; empty: any token's")
    approvals: Many[GivenApproval] = ()
    request: SigningRequest


class PendingApprovals(Shown):
    """A page of them, newest request first."""

    pending: Many[PendingApproval]
    next_cursor: Cursor | None = None


class ApproveRequest(OfScheme, Change):
    """Says yes to a request for one own key, until then or as long as it lasts. Saying no: `declineSigningRequest`."""

    request_id: Hex32
    public_key: PublicKey
    until: Millis | None = Field(default=None, description="after it nothing more is signed on this approval")


class Approved(Changed):
    """How many have said yes, and whether that was enough, so that the key has joined."""

    request_id: Hex32
    public_key: PublicKey
    approvals_needed: Count
    approvals_given: Count = Field(default=0, description="how many of `approvals` count")
    approvals_of: Many[str] = Field(default=(), description="the labels whose approval counts; empty: any token's")
    approvals: Many[GivenApproval]
    joined: bool


class ReloadPolicy(Change):
    """Reads the policy file again; a broken one changes nothing, and is `policy_unreadable`."""

    dry_run: bool = Field(default=False, description="change nothing, and answer what would change")


class RuleInFile(Shown):
    """A rule and its line, of the file as it is now; of the rules in force where it was `removed`."""

    rule: str
    line: Count
    verdict: PolicyVerdict
    change: Literal["same", "new", "changed", "moved", "removed"] = Field(
        description="moved: it says the same, and stands before or after others than it did"
    )


class ForeseenRequest(Shown):
    """A request that would fare otherwise for an own key than it does now."""

    request_id: Hex32
    public_key: PublicKey
    outcome: Literal["joined", "declined", "waits", "held-back"] = Field(
        description="waits: for its owner, under another rule or other approvals; held-back: it has joined, and would "
        "not sign"
    )
    rule: str | None = Field(default=None, description="the rule that would decide; absent: the default")
    line: Count | None = Field(default=None, description="where it stands in the file")
    message: str


class PolicyDryRun(Shown):
    """What a reload would change. Keys that are locked or paused are left out, as a reload passes them by."""

    policy: str = Field(description="digest of the file as it is now, `none` where there is none")
    in_force: str = Field(description="digest of the file that is in force, or `none`")
    rules: Many[RuleInFile]
    requests: Many[ForeseenRequest] = Field(description="at most 100, in the order in which they would be considered")
    more_requests: Count = Field(default=0, description="how many there are besides")


class PolicyReloaded(Changed):
    """The rules in force; with `dryRun` those that would be."""

    active: bool
    rules: Many[str] = Field(description="their names, in order")
    default: PolicyVerdict
    dry_run: PolicyDryRun | None = Field(default=None, description="only with `dryRun`: then nothing was changed")
