"""A policy file is read whole or refused with the line and the member that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.policy.read import LARGEST, PolicyUnreadable, read_policy, rules_of
from daemon.policy.rules import Ceiling, Decision

RULE = '[[rule]]\nname = "a"\nverdict = "join"\n'


def problem(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "policy.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(PolicyUnreadable) as caught:
        read_policy(path)
    assert (caught.value.reason, caught.value.exit_code) == ("policy_unreadable", 2)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rule = 7", "[[rule]] tables"),
        ('rule = [{name = "a", verdict = "ask"}]', "a table of its own"),
        ("maximum = 7", "line 1: the file has no member maximum;"),
        ('default = "join"', "default must be ask or refuse"),
        ("[[rule]]\nverdict = 'ask'", "line 1: a rule: name must be a text"),
        ("\n[[rule]]\nname = 'a'", 'line 2: the rule "a": verdict must be join, ask or refuse'),
        (
            "\n" + RULE + "max_amont = 7",
            "line 5: the rule has no member max_amont (did you mean max_amount?); it knows",
        ),
        (RULE + "max_amount = -1", 'the rule "a": line 4: max_amount must be a whole number of satoshis'),
        (RULE + "max_amount = 1.5", "line 4: max_amount must be a whole number"),
        (RULE + "max_fee = true", "line 4: max_fee must be a whole number"),
        (RULE + "min_reputation = 101", "line 4: min_reputation must be a whole number from 0 to 100"),
        (RULE + "\n\ncreators = []", "line 6: creators must be a list with at least one text"),
        (RULE + 'creators = ["02ab"]', "line 4: creators must hold public keys"),
        (RULE + 'review = ["seen"]', "line 4: review must hold some of checked, open, text, blind"),
        (RULE + 'days = ["Monday"]', "line 4: days must hold some of mon, tue"),
        (RULE + 'hours = ["8-18"]', 'line 4: hours must hold spans such as "08:00-18:00"'),
        (RULE + 'hours = ["08:00-08:00"]', "no empty one"),
        (RULE + 'hours = ["08:00-24:01"]', "no empty one"),
        (RULE + "per_hour = {}", "line 4: per_hour must be {amount = SATOSHIS, count = NUMBER}"),
        (RULE + "[rule.per_day]\nsats = 7", "line 4: per_day must be {amount"),
        (RULE + "per_day = {count = -1}", "line 4: per_day must be a whole number"),
        (RULE + 'budget = "x"', "names a budget: add one of"),
        (RULE + 'change = "bc1"', "change must be a list"),
        (RULE + 'reason = "no"', "reason goes with refuse"),
        ('[[rule]]\nname = "a"\nverdict = "refuse"\nreason = "a\\u202e"', "printable"),
        (RULE + "approvals = {need = 2}", "approvals goes with ask"),
        (
            "[[rule]]\nname='a'\nverdict='ask'\napprovals = {need = 3, of = ['x', 'y']}",
            "need must be a whole number from 1",
        ),
        ("[[rule]]\nname='a'\nverdict='ask'\napprovals = {of = []}", "approvals: of must be a list"),
        (RULE + RULE, 'line 4: the rule "a" has the name of the one in line 1'),
        ('[[example]]\nname = "x"', "line 1: the example must have a request"),
        ('[[example]]\nname = "x"\nrequest = {}', "expect must be join, ask or refuse"),
        (RULE + '[[example]]\nname = "x"\nrequest = {}\nexpect = "ask"\nrule = "b"', "no rule has that name"),
        ("[[rule]", "is no policy"),
        (b"\xff", "is no policy"),
        (b"#" * (LARGEST + 1), "has more than"),
    ],
)
def test_a_broken_file_is_refused_with_the_line_and_the_member(tmp_path: Path, text: str, words: str) -> None:
    assert words in problem(tmp_path, text)


def test_a_missing_policy_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyUnreadable, match=r"gone\.toml cannot be read: No such file"):
        read_policy(tmp_path / "gone.toml")


def test_rules_keep_their_order_their_lines_and_their_limits() -> None:
    text = f"""
default = "refuse"

{RULE}
max_amount = 5
hours = [
  "08:00-24:00",
]
per_day.count = 3

[[rule]]
name = "b"
verdict = "refuse"
reason = "not today"
[rule.per_hour]
amount = 7
"""
    rules = rules_of(text)
    assert rules.default is Decision.REFUSE
    first, second = rules.rules
    assert (first.line, second.line) == (4, 14)
    assert {each.member: each.line for each in first.conditions} == {
        "review": 4,
        "max_amount": 8,
        "hours": 9,
        "per_day": 12,
    }
    limits = {each.member: each.limit for each in (*first.conditions, *second.conditions)}
    assert limits["hours"] == ((480, 1_440),)
    assert (limits["per_day"], limits["per_hour"]) == (Ceiling(count=3), Ceiling(amount=7))
    assert (second.reason, second.budget) == ("not today", "b")
    assert {each.member: each.line for each in second.conditions} == {"per_hour": 18}


def test_an_empty_file_is_a_policy_that_joins_nothing() -> None:
    assert (rules_of("").rules, rules_of("").default) == ((), Decision.ASK)
