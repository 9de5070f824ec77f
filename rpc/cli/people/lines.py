"""What happened, a line each with its time, for a person who reads along: events, and lines of the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from config.text.plain_text import escaped
from rpc.cli.people.table import moment

_NESTED: Final = frozenset({"request", "session", "advertisement", "signer"})  # whole objects: --json shows them


def event_line(event: Mapping[str, Any]) -> str:
    """One event: seq, time, name, and its plain values."""
    time = moment(event["time"]) if isinstance(event.get("time"), int) else "-"
    return f"{event.get('seq', '-'):>8}  {time:<19}  {event['event']:<32}  {_facts(event['data'])}".rstrip() + "\n"


def audit_lines(page: Mapping[str, Any]) -> str:
    """One page of the audit log, and how to go on."""
    lines = (
        f"{each['seq']:>8}  {moment(each['time'])}  {each['what']:<24}  {_facts(each['facts'])}"
        for each in page["lines"]
    )
    end = f"anchor {page['anchor']}; go on with fromSeq={page['nextSeq']}"
    return "".join(f"{line.rstrip()}\n" for line in (*lines, end))


def _facts(facts: Mapping[str, Any]) -> str:
    return "  ".join(_plain(facts))


def _plain(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if name in _NESTED and isinstance(value, Mapping):
            named = [key for key in ("requestId", "sessionId", "publicKey") if key in value and key not in facts]
            yield from (f"{key}={value[key]}" for key in named)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            yield f"{escaped(name)}={escaped(text)}"
