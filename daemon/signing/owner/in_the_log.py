"""What the log says of what the policy does by itself. The audit log has all of it; here a flood leaves lines out."""

from __future__ import annotations

from typing import Final

import structlog

from daemon.policy.rules import Decision, Ruling

log = structlog.get_logger("musigd.policy")

LINES: Final = {
    Decision.JOIN: "the policy joins a request",
    Decision.ASK: "a request waits for its owner",
    Decision.REFUSE: "the policy declines a request",
}


def tell(request: bytes, key: bytes, ruling: Ruling) -> None:
    """`ruling` takes effect: name the request, the key, and the rule with its line, or why there is none."""
    rule = ruling.rule
    ground = {"why": ruling.sentence} if rule is None else {"rule": rule.name, "line": rule.line}
    log.info(LINES[ruling.verdict], request=request.hex(), key=key.hex(), **ground)
