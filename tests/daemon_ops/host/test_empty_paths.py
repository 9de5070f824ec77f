"""A path that is empty, as from a shell variable nobody set, is a usage error and never the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.main import main
from rpc.cli.__main__ import main as cli

COMMAND_LINES = [
    ("run", "--datadir", ""),
    ("run", "--config", ""),
    ("stop", "--datadir", ""),
    ("doctor", "--datadir", ""),
    ("config", "show", "--datadir", ""),
    ("config", "check", "--config", ""),
    ("backup", ""),
    ("backup", "backup.tar", "--datadir", ""),
    ("restore", ""),
    ("restore", "backup.tar", "--datadir", ""),
    ("verify-evidence", ""),
]
VARIABLES = [
    ("MUSIGD_DATADIR", "", ("run", "stop", "doctor", "config check")),
    ("MUSIGD_CONFIG", "", ("run", "doctor", "config check")),
    ("MUSIGD_KEYS__PASSPHRASE_FILE", "", ("run", "doctor", "config check")),
    ("MUSIGD_RPC__TLS_CERT", "", ("run", "doctor", "config check")),
    ("MUSIGD_DATADIR", "~nosuchuser/data", ("run", "stop", "doctor", "config check")),
    ("MUSIGD_CONFIG", "~nosuchuser/musigd.toml", ("run", "doctor", "config check")),
    ("MUSIGD_KEYS__PASSPHRASE_FILE", "~nosuchuser/passphrase", ("run", "doctor", "config check")),
    ("HOME", "somewhere", ("run", "stop", "doctor", "config check")),
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MUSIGD_DATADIR", "XDG_DATA_HOME", "MUSIG_URL", "MUSIG_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_an_empty_path_on_the_command_line(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "it is empty: name a path" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "command"), [(name, value, each) for name, value, commands in VARIABLES for each in commands]
)
def test_an_empty_or_homeless_path_in_a_variable(
    name: str,
    value: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME" if name != "HOME" else "UNUSED", str(tmp_path / "data"))
    monkeypatch.setenv(name, value)
    assert main(command.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "name a path in it" in line or "home directory" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--datadir", "--token-file"])
def test_an_empty_path_given_to_the_client(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli([option, "", "getInfo"]) == 2
    assert "it is empty: name a path" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["MUSIGD_DATADIR", "MUSIG_URL", "MUSIG_TOKEN_FILE"])
def test_an_empty_variable_of_the_client(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "")
    assert cli(["getInfo"]) == 2
    assert f"{name} is empty" in capsys.readouterr().err
