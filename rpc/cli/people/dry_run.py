"""A policy file in lines: its rules, and what reading it anew would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from config.text.plain_text import escaped

FATES: Final = {
    "joined": "would be joined",
    "declined": "would be declined",
    "waits": "would wait for its owner otherwise",
    "held-back": "was joined, and would not be signed",
}


def dry_run_text(answer: Mapping[str, Any]) -> str:
    """What `reloadPolicy` with `dryRun` answered."""
    return "".join(f"{line}\n" for line in _lines(answer))


def rule_line(line: int, verdict: str, name: str) -> str:
    """One rule, as `musigd policy check` shows it too."""
    return f"line {line}: {verdict}: {escaped(name)}"


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    told = answer["dryRun"]
    yield f"Nothing was changed. In force: {told['inForce']}. The file: {told['policy']}."
    for rule in told["rules"]:
        yield f"{rule['change']:<7}  {rule_line(rule['line'], rule['verdict'], rule['rule'])}"
    yield f"where no rule applies: {answer['default']}"
    requests, more = told["requests"], told.get("moreRequests", 0)
    if not requests:
        yield "No open request would fare otherwise."
    for each in requests:
        yield f"request {each['requestId']} {FATES.get(each['outcome'], each['outcome'])}"
        yield f"  by key {each['publicKey']}: {escaped(str(each['message']))}"
    if more:
        yield f"and {more} more"
