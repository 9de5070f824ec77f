"""Where the daemon keeps its files if a path does not fit a socket or JSON."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.locations import LONGEST_SOCKET_PATH, datadir_of, path_of, socket_path, text_of

RUNTIME = {"XDG_RUNTIME_DIR": "/run/user/7"}


def test_the_socket_lies_in_the_data_directory_where_it_can() -> None:
    assert socket_path(Path("/data"), RUNTIME) == Path("/data/musigd.sock")


@pytest.mark.parametrize("datadir", [Path("/" + "x" * LONGEST_SOCKET_PATH), Path(os.fsdecode(b"/da\xffta"))])
def test_a_path_that_is_too_long_or_not_utf_8_gives_way_to_the_runtime_directory(datadir: Path) -> None:
    found = socket_path(datadir, RUNTIME)
    assert found.parent == Path("/run/user/7")
    assert text_of(found).isascii()


def test_without_a_temporary_directory_the_socket_still_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("config.locations.gettempdir", none)
    assert socket_path(Path("/" + "x" * 200), {}).parent == Path(f"/tmp/musigd-{os.getuid()}")


def test_a_path_in_json_is_the_path_on_the_disk() -> None:
    path = Path(os.fsdecode("/d\u00e4ta".encode()))
    assert text_of(path) == "/d\u00e4ta"
    assert path_of(text_of(path)) == path


def test_a_relative_path_in_a_removed_directory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SettingsError, match="has been removed"):
        datadir_of(Path("x"), {})


def test_an_empty_home_is_refused_and_does_not_mean_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")
    with pytest.raises(SettingsError, match="HOME is empty"):
        datadir_of(None, {"HOME": ""})
