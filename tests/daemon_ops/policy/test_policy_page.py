"""docs/policy.md: its policies are valid, their examples end as expected, and its table has every member."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from daemon.main import main
from daemon.policy.examples import run_examples
from daemon.policy.facts import REVIEWS
from daemon.policy.members import MEMBERS
from daemon.policy.read import rules_of
from rpc.cli import api
from rpc.cli.options import understood
from rpc.cli.params import params_of

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs/policy.md").read_text()
POLICIES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_five_complete_policies_and_the_short_one() -> None:
    assert len(POLICIES) == 7
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE)[4:] == [
        "A mirror of an exchange's hot wallet",
        "A swap service",
        "A family vault",
        "A coinjoin maker",
        "Deny all",
    ]


@pytest.mark.parametrize("text", POLICIES, ids=lambda text: text.split('name = "', 1)[1].split('"')[0])
def test_a_policy_of_the_page_is_read_and_its_examples_end_as_they_say(text: str) -> None:
    found = list(run_examples(rules_of(text)))
    assert found
    assert [(example.name, problem) for example, _, problem in found if problem is not None] == []


def test_the_table_of_the_page_has_every_condition_and_the_classes() -> None:
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\| ", PAGE.partition("| member |")[2].partition("\n\n")[0], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(MEMBERS)
    assert all(f"`{name}`" in PAGE for name in REVIEWS)


def test_the_commands_of_the_page_are_commands() -> None:
    block = PAGE.partition("## Before you rely on it")[2].partition("```sh\n")[2].partition("```")[0]
    words = [shlex.split(line.partition(" > ")[0], comments=True) for line in block.splitlines()]
    for program, *rest in words:
        if program == "musig-cli":
            options = understood(rest)
            params_of(api.METHODS[options.command], options.pairs)
        else:
            assert (program, rest[0], rest[1] in ("check", "test")) == ("musigd", "policy", True)


def test_policy_test_names_the_example_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICIES[0] + '\n[[example]]\nname = "a car"\nrequest = {amount = 9_000_000}\nexpect = "join"\n')
    assert main(["policy", "test", str(path)]) == 1
    text = capsys.readouterr().out
    assert 'ok      line 10: "a coffee": join' in text
    assert (
        'failed  line 16: "a car" expects join. No rule of the policy applies, so it asks its owner by default.' in text
    )
    assert "line 7: small payments: max_amount = 100000: 9000000 > 100000" in text


def test_policy_check_counts_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICIES[0])
    assert main(["policy", "check", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 rule, 1 example; where no rule applies: ask. In the audit log this file is called ")
    path.write_text("default = 7")
    for words, said in (
        (["check", str(path)], "default must be ask or refuse"),
        (["test", str(tmp_path / "none.toml")], "No such file"),
    ):
        assert main(["policy", *words]) == 2
        assert said in capsys.readouterr().err
