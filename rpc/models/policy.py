"""The owner's policy: what it says of a request, and reading it anew."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from rpc.models.values import Count, Hex32, PublicKey
from rpc.models.wire import Change, Changed, Many, OfScheme, Shown

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
    values: dict[str, Any] = Field(description="what the rules look at, as far as it is known")
    weighed: Many[WeighedCondition] = Field(
        default=(), description="the conditions of all rules up to the one that decided, in order"
    )


class ReloadPolicy(Change):
    """Reads the policy file again; a broken one changes nothing, and is `policy_unreadable`."""


class PolicyReloaded(Changed):
    """The rules in force."""

    active: bool
    rules: Many[str] = Field(description="their names, in order")
    default: PolicyVerdict
