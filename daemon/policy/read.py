"""Reads a policy file: TOML into rules, each with its line. Anything unknown is an error, never ignored."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from config.text.nearest import did_you_mean
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.policy.facts import CHECKED
from daemon.policy.members import BUDGETS, MEMBERS, Misfit
from daemon.policy.rules import Approvals, Condition, Decision, Example, Rule, RuleSet

LARGEST: Final = 1 << 20  # bytes
_HEADING: Final = re.compile(r"\s*\[\[?\s*(rule|example)\s*(\]\]|\.|\])")
_OTHERS: Final = frozenset({"name", "verdict", "budget", "change", "reason", "approvals"})
_TOP: Final = frozenset({"default", "rule", "example"})
_EXAMPLE: Final = frozenset({"name", "request", "expect", "rule"})


class PolicyUnreadable(DaemonError):
    """The file is not a valid policy; the sentence names file, line and member."""

    reason = "policy_unreadable"
    exit_code = EXIT_CONFIGURATION


def digest_of(raw: bytes) -> str:
    """What a policy file is called on record: 16 hex digits of its SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:16]


def read_policy(path: Path) -> RuleSet:
    """The rules of that file. Raises PolicyUnreadable."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise PolicyUnreadable(f"The policy {path} has more than {LARGEST} bytes.")
        text = raw.decode()
        return replace(rules_of(text), digest=digest_of(raw))
    except OSError as problem:
        raise PolicyUnreadable(f"The policy {path} cannot be read: {problem.strerror}.") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, _Wrong) as problem:
        raise PolicyUnreadable(f"The policy {path} (policy.file) is no policy: {problem}.") from problem


class _Wrong(Exception):
    """What is wrong in the text, with its line."""


def rules_of(text: str) -> RuleSet:
    """The rules in a text. Raises PolicyUnreadable, whose text names line and member."""
    data = tomllib.loads(text)
    _require_known(data, _TOP, "the file", lambda member: _line_in(text, member))
    places = _places(text)
    given = _tables(data, "rule"), _tables(data, "example")
    for kind, tables in zip(("rule", "example"), given, strict=True):
        if len(places[kind]) != len(tables):
            raise _Wrong(f"each {kind} must be a table of its own, under a line [[{kind}]]")
    rules = tuple(_rule(table, lines) for table, lines in zip(given[0], places["rule"], strict=True))
    _require_distinct("rule", [(rule.name, rule.line) for rule in rules])
    return RuleSet(
        rules,
        _default(data.get("default", Decision.ASK.value)),
        tuple(_example(table, lines, rules) for table, lines in zip(given[1], places["example"], strict=True)),
    )


def _places(text: str) -> Mapping[str, list[Callable[[str], int]]]:
    """For each [[rule]] and [[example]] in order: its line (under "") and the line of each of its members."""
    found: dict[str, list[tuple[int, dict[str, int]]]] = {"rule": [], "example": []}
    members: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        heading = _HEADING.match(line)
        if heading is not None and heading[2] == "]]":
            members = {}
            found[heading[1]].append((number, members))
        elif heading is not None and (inner := re.match(r"\s*\[+\s*\w+\s*\.\s*(\w+)", line)) is not None:
            members.setdefault(inner[1], number)
        elif (member := re.match(r"\s*(\w+)\s*[=.]", line)) is not None:
            members.setdefault(member[1], number)
    return {kind: [_line_of(*each) for each in places] for kind, places in found.items()}


def _line_of(start: int, members: Mapping[str, int]) -> Callable[[str], int]:
    return lambda member: members.get(member, start)


def _tables(data: Mapping[str, Any], kind: str) -> list[Any]:
    tables = data.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _Wrong(f"{kind} must be written as [[{kind}]] tables")
    return tables


def _default(value: Any) -> Decision:
    if value not in (Decision.ASK.value, Decision.REFUSE.value):
        raise _Wrong("default must be ask or refuse")
    return Decision(value)


def _rule(table: Mapping[str, Any], line_of: Callable[[str], int]) -> Rule:
    at = f"line {line_of('')}: a rule"
    _require_known(table, _OTHERS | MEMBERS.keys(), "the rule", line_of)
    name = _text(table, "name", at)
    at = f'line {line_of("")}: the rule "{name}"'
    verdict = _verdict(table, "verdict", at)
    conditions = tuple(_conditions(table, line_of, at))
    if verdict is Decision.JOIN and "review" not in table:
        conditions = (Condition("review", (CHECKED,), line_of(""), [CHECKED]), *conditions)
    if "budget" in table and not BUDGETS & table.keys():
        raise _Wrong(f"{at} names a budget: add one of {', '.join(sorted(BUDGETS))}, or leave it out")
    return Rule(
        name=name,
        verdict=verdict,
        line=line_of(""),
        conditions=conditions,
        budget=_text(table, "budget", at) if "budget" in table else name,
        change=_read(MEMBERS["destinations"].read, table["change"], f"{at}: change") if "change" in table else (),
        reason=_reason(table, verdict, at),
        approvals=_approvals(table, verdict, at),
    )


def _conditions(table: Mapping[str, Any], line_of: Callable[[str], int], at: str) -> Iterator[Condition]:
    for member in MEMBERS:  # cheapest first, budgets last
        if member in table:
            where = f"{at}: line {line_of(member)}: {member}"
            yield Condition(member, _read(MEMBERS[member].read, table[member], where), line_of(member), table[member])


def _reason(table: Mapping[str, Any], verdict: Decision, at: str) -> str:
    if "reason" not in table:
        return ""
    reason = _text(table, "reason", at)
    if verdict is not Decision.REFUSE or len(reason.encode()) > 200 or not reason.isprintable():
        raise _Wrong(f"{at}: reason goes with refuse, and has at most 200 printable bytes: all signers read it")
    return reason


def _approvals(table: Mapping[str, Any], verdict: Decision, at: str) -> Approvals:
    if "approvals" not in table:
        return Approvals()
    given = table["approvals"]
    if verdict is not Decision.ASK or not isinstance(given, dict) or not given or not given.keys() <= {"need", "of"}:
        raise _Wrong(f"{at}: approvals goes with ask, and must be {{need = NUMBER, of = [LABELS]}}, or one of the two")
    of = _read(MEMBERS["destinations"].read, given["of"], f"{at}: approvals: of") if "of" in given else ()
    need = given.get("need", 1)
    if type(need) is not int or need < 1 or (of and need > len(set(of))):
        raise _Wrong(f"{at}: approvals: need must be a whole number from 1 to the number of labels")
    return Approvals(need, of)


def _example(table: Mapping[str, Any], line_of: Callable[[str], int], rules: tuple[Rule, ...]) -> Example:
    at = f"line {line_of('')}: the example"
    _require_known(table, _EXAMPLE, "the example", line_of)
    request, rule = table.get("request"), table.get("rule")
    if not isinstance(request, dict):
        raise _Wrong(f"{at} must have a request, a table of values")
    if rule is not None and rule not in {each.name for each in rules}:
        raise _Wrong(f"{at} expects the rule {rule!r}, and no rule has that name")
    return Example(_text(table, "name", at), line_of(""), request, _verdict(table, "expect", at), rule)


def _verdict(table: Mapping[str, Any], member: str, at: str) -> Decision:
    try:
        return Decision(table.get(member, ""))
    except ValueError:
        raise _Wrong(f"{at}: {member} must be join, ask or refuse") from None


def _text(table: Mapping[str, Any], member: str, at: str) -> str:
    value = table.get(member)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise _Wrong(f"{at}: {member} must be a text of 1 to 200 characters")
    return value


def _read(read: Callable[[Any], Any], value: Any, at: str) -> Any:
    try:
        return read(value)
    except Misfit as misfit:
        raise _Wrong(f"{at} {misfit}") from None


def _line_in(text: str, member: str) -> int:
    """The first line that gives this member of the file itself, or a table of that name."""
    found = re.search(rf"^[ \t\[]*[\"']?{re.escape(member)}[\"']?\s*[=.\]]", text, re.MULTILINE)
    return 1 if found is None else text.count("\n", 0, found.start()) + 1


def _require_known(
    table: Mapping[str, Any], known: frozenset[str] | set[str], what: str, line_of: Callable[[str], int]
) -> None:
    odd = sorted(table.keys() - known, key=line_of)
    if odd:
        guess = did_you_mean(odd[0], known)
        where = f"line {line_of(odd[0])}: {what}"
        raise _Wrong(f"{where} has no member {odd[0]}{guess}; it knows {', '.join(sorted(known))}")


def _require_distinct(kind: str, named: list[tuple[str, int]]) -> None:
    seen: dict[str, int] = {}
    for name, line in named:
        if name in seen:
            raise _Wrong(
                f'line {line}: the {kind} "{name}" has the name of the one in line {seen[name]}: give it another'
            )
        seen[name] = line
