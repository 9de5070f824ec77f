"""A mistyped word on the command line of `musigd` is answered with a sentence and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.output.command_parser import CommandParser
from daemon.commands.command_line import _parser, run_command
from daemon.main import OPTIONS_WITHOUT_VALUE, command_of, main
from rpc.cli.help import DAEMON_COMMANDS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["docter"], "there is no 'docter' (did you mean doctor?); it is one of run, demo, config"),
        (["config", "shwo"], "there is no 'shwo' (did you mean show?); it is one of show, check, sample"),
        (["demo", "--scheme", "bip-340"], "there is no 'bip-340' (did you mean bip340?)"),
        (["run", "--datadri", "/x"], "unknown argument '--datadri' (did you mean --datadir?). See `musigd run --help`"),
        (["run", "--log_level=debug"], "unknown argument '--log_level' (did you mean --log-level?)"),
        (["--verison"], "unknown argument '--verison' (did you mean --version?). See `musigd --help`"),
        (["doctor", "now"], "unknown argument 'now'. See `musigd doctor --help`"),
        (["--datadri", "/x", "doctor"], "unknown argument '--datadri' (did you mean --datadir?)"),
        (["--datadir", "/x"], "the command is missing, for example `musigd run --datadir /x`"),
        (["config", "--datadir=/x"], "the command is missing, for example `musigd config show --datadir=/x`"),
        (["--datadir", "/x", "docter"], "there is no 'docter' (did you mean doctor?)"),
        (["--signers", "5", "run"], "musigd run takes no --signers, which goes with `musigd demo`. See"),
        (
            ["stop", "--config", "x"],
            "musigd stop takes no --config, which goes with `musigd run`, `musigd config show`",
        ),
        (["run", "--version"], "--version goes without a command: `musigd --version`"),
        (["doctor", "datadir=/x"], "unknown argument 'datadir=/x' (did you mean --datadir=/x?)"),
        (["getInfo"], "there is no 'getInfo' (did you mean musig-cli getInfo?)"),
        (["version"], "there is no 'version' (did you mean --version?)"),
        (["start"], "there is no 'start' (did you mean run?)"),
        (["quite other"], "there is no 'quite other'; it is one of"),
        (["x" * 5_000], "there is no 'xxxxxx"),
        (["run", "--\x1b[31m"], "unknown argument"),
    ],
)
def test_mistyped_word_is_answered_with_the_nearest(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("musigd: ")
    assert said in err
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert len(err) < 400


def options_of(words: list[str]) -> dict[str, object]:
    return {**vars(_parser().understood(words)), "parser": None}


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (["--datadir", "/x", "doctor"], ["doctor", "--datadir", "/x"]),
        (["--log-level=debug", "--datadir", "/x", "run"], ["run", "--log-level=debug", "--datadir", "/x"]),
        (["--new-database", "run", "--datadir", "/x"], ["run", "--new-database", "--datadir", "/x"]),
        (["--datadir", "/x", "config", "show"], ["config", "show", "--datadir", "/x"]),
        (["config", "--datadir", "/x", "show", "--fresh"], ["config", "show", "--datadir", "/x", "--fresh"]),
        (["--datadir", "run", "backup", "file"], ["backup", "--datadir", "run", "file"]),
        (["--p2p-listen", "/a", "run", "--p2p-listen", "/b"], ["run", "--p2p-listen", "/a", "--p2p-listen", "/b"]),
    ],
)
def test_an_option_may_stand_before_the_command_that_takes_it(early: list[str], late: list[str]) -> None:
    assert options_of(early) == options_of(late)
    assert command_of(early) == command_of(late) == late[0]


def all_of(parser: CommandParser) -> list[CommandParser]:
    return [parser, *(below for each in parser._commands().values() for below in all_of(each))]


def test_options_without_a_value_are_known_before_the_parser_is_loaded() -> None:
    actions = [action for parser in all_of(_parser()) for action in parser._actions]
    assert {name for action in actions if action.nargs == 0 for name in action.option_strings} == OPTIONS_WITHOUT_VALUE


def test_musig_cli_knows_the_commands_that_are_the_daemons() -> None:
    assert set(_parser()._commands()) - {"protocol-vectors"} == DAEMON_COMMANDS


def test_help_of_a_command_is_shown_whichever_way_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in (
        ["help", "config", "show"],
        ["config", "show", "--help"],
        ["--datadir", "/x", "config", "show", "-h"],
    ):
        with pytest.raises(SystemExit) as ended:
            run_command(words)
        assert ended.value.code == 0
        said.append(capsys.readouterr().out)
    assert said[0].startswith("usage: musigd config show")
    assert len(set(said)) == 1


def test_paths_with_control_characters_are_escaped_by_the_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor", "--datadir", str(tmp_path / "a\x1b[31mb\u202ec"), "--rpc-listen", "127.0.0.1:0"])
    out, _ = capsys.readouterr()
    assert "\\u001b[31mb\\u202ec" in out
    assert not {"\x1b", "\u202e"} & set(out)
