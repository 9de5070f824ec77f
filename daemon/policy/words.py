"""A condition and what it met, as a line for people: `max_amount = 250000: 600000 > 250000`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from daemon.policy.members import BUDGETS
from daemon.policy.rules import Weighed


def weighed_text(each: Weighed) -> str:
    """Its line, rule and limit, and the comparison that holds or does not."""
    return f"line {each.line}: {each.rule}: {each.member} = {_toml(each.limit)}: {_comparison(each)}"


def _comparison(each: Weighed) -> str:
    if each.member in BUDGETS:
        return _budget(each)
    if each.value is None:
        return "unknown"
    if each.member.startswith("max_"):
        return f"{each.value} {'<=' if each.holds else '>'} {each.limit}"
    if each.member.startswith("min_"):
        return f"{each.value} {'>=' if each.holds else '<'} {each.limit}"
    return f"{_toml(each.value)} {'fits' if each.holds else 'does not fit'}"


def _budget(each: Weighed) -> str:
    """The sums: what counts already, and this request."""
    sums = []
    over = False
    for name, noun, adds in (("amount", "spent", each.adds), ("count", "signed", 1)):
        limit = each.limit.get(name)
        if limit is not None and adds is None:
            return "what it costs is unknown"
        if limit is not None and adds is not None:
            within = each.value[name] + adds <= limit
            over = over or not within
            sums.append((within, f"{each.value[name]} {noun} + {adds} {'<=' if within else '>'} {limit}"))
    if not each.holds and not over:
        return "the clock cannot be believed"
    return ", ".join(text for within, text in sums if each.holds or not within)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {_toml(each)}' for name, each in value.items())}}}"
    return orjson.dumps(value).decode()
