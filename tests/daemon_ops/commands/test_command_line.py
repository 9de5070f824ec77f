"""A mistyped word on the command line of `musigd` is answered with a sentence and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.commands.command_line import run_command
from daemon.main import main


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


def test_paths_with_control_characters_are_escaped_by_the_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor", "--datadir", str(tmp_path / "a\x1b[31mb\u202ec"), "--rpc-listen", "127.0.0.1:0"])
    out, _ = capsys.readouterr()
    assert "\\u001b[31mb\\u202ec" in out
    assert not {"\x1b", "\u202e"} & set(out)
