"""`musigd policy check`, `test`, `drop`: try a policy file before a daemon uses it, or go on without a lost one."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from config.output.terminal import complain, say
from daemon.commands.settings import datadir_from
from daemon.errors import EXIT_FAILURE, DaemonError
from daemon.policy.examples import run_examples
from daemon.policy.facts import facts_of
from daemon.policy.judge import explain
from daemon.policy.members import BUDGETS, Moment
from daemon.policy.policy import MISMATCH
from daemon.policy.read import read_policy
from daemon.policy.rules import Decision, RuleSet, Ruling, Weighed
from daemon.policy.spent import Spent
from daemon.upkeep import policy_file
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Request
from musig2.protocol.review.findings import ReviewStatus
from musig2.protocol.review.review import review_of
from musig2.protocol.wire.frames import Signed
from rpc.cli.people.dry_run import rule_line

ASSUMED = "Assumed: nothing was spent, no reputation is known, and it is the time at which the request was made.\n"
LARGEST = 1 << 20  # bytes of an envelope


class NoRequest(DaemonError):
    """The file given with --against holds no signing request."""

    reason = "no_request"


def check(arguments: argparse.Namespace) -> int:
    """Read the file, print what it contains, and with --against its verdict on a request, for each key."""
    rules = read_policy(arguments.file)
    say(f"{_counted(len(rules.rules), 'rule')}, {_counted(len(rules.examples), 'example')}; ")
    say(f"where no rule applies: {rules.default.value}. In the audit log this file is called {rules.digest}.\n")
    say("".join(f"{rule_line(rule.line, rule.verdict.value, rule.name)}\n" for rule in rules.rules))
    if arguments.against is not None:
        view = _read(arguments.against)
        signed = _request(view)
        say(ASSUMED)
        for key in _keys(view, signed):
            say("".join(f"{line}\n" for line in _told(key, _ruling(rules, signed, key, arguments.network))))
    return 0


def test(arguments: argparse.Namespace) -> int:
    """Run the examples in the file; 1 if the verdict on one is not the expected one, or if there are no examples."""
    rules = read_policy(arguments.file)
    failed = 0
    for example, ruling, problem in run_examples(rules):
        if problem is None:
            say(f'ok      line {example.line}: "{example.name}": {ruling.verdict.value}\n')
            continue
        failed += 1
        say(f'failed  line {example.line}: "{example.name}" {problem}\n')
        say("".join(f"        {weighed_text(each)}\n" for each in ruling.weighed if not each.holds))
    if not rules.examples:
        complain(f"musigd: {arguments.file} holds no [[example]].")
    return EXIT_FAILURE if failed or not rules.examples else 0


def drop(arguments: argparse.Namespace) -> int:
    """Go on without rules whose file is gone; the audit log says so."""
    digest = asyncio.run(policy_file.drop(datadir_from(arguments)))
    say(
        f"The policy {digest} is dropped, and that is on record. From the next start on there are no rules: whatever a "
    )
    say("token with the scope sign asks for is signed.\n")
    return 0


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        data = orjson.loads(sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as problem:
        raise NoRequest(f"{path} cannot be read as JSON: {problem}.") from problem
    for name in ("result", "request"):  # the whole JSON-RPC answer, or the data of an event, is accepted too
        if isinstance(data, dict) and isinstance(data.get(name), dict):
            data = data[name]
    if not isinstance(data, dict) or not isinstance(data.get("envelope"), str):
        raise NoRequest(f"{path} holds no signing request: give what getSigningRequest answers, envelope included.")
    return data


def _request(view: Mapping[str, Any]) -> Signed[Request]:
    try:
        signed = open_envelope(bytes.fromhex(view["envelope"]), max_bytes=LARGEST)
    except (ValueError, InvalidRecord) as problem:
        raise NoRequest(f"The envelope of the request is damaged: {problem}.") from problem
    if not isinstance(signed.record, Request):
        raise NoRequest("The record in the envelope is not a signing request.")
    return Signed(signed.record, signed.id, signed.envelope)


def _keys(view: Mapping[str, Any], signed: Signed[Request]) -> list[bytes]:
    """The keys that the view marks as own; all required keys if it marks none."""
    own = {each["publicKey"] for each in view.get("signers", ()) if isinstance(each, dict) and each.get("own")}
    return [key for key in signed.record.keys if not own or key.hex() in own]


def _ruling(rules: RuleSet, signed: Signed[Request], key: bytes, network: str) -> Ruling:
    """The ruling at the time when the request was created, with nothing spent and reputations unknown."""
    if review_of(signed).status is ReviewStatus.MISMATCH:
        return Ruling(Decision.REFUSE, None, instead=MISMATCH)
    facts = replace(facts_of(signed, key, network), time_ms=signed.record.created)
    return explain(rules, facts, Moment(Spent(), signed.record.created, signed.id))


def _told(key: bytes, ruling: Ruling) -> Iterator[str]:
    yield f"{key.hex()}: {ruling.verdict.value}. {ruling.sentence}"
    yield from (f"  {weighed_text(each)}" for each in ruling.weighed)


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
