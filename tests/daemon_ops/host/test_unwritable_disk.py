"""A data directory whose disk takes nothing: each command names the place and what can be done there."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from config.output.outermost import sentence_of
from daemon.host.datadir import Datadir, DatadirError
from daemon.host.own_directory import why_unwritable
from daemon.host.private_file import write_private
from daemon.upkeep.backup import BackupError, back_up_datadir
from tests.daemon_ops.host.test_own_directory import database_of_ours


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    monkeypatch.setattr(os, "access", lambda path, mode: False)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EROFS, "mount its file system writable, or choose another with --datadir"),
        (errno.ENOSPC, "free some space, or choose another with --datadir"),
        (errno.EACCES, "give its rights to this user, or choose another with --datadir"),
    ],
)
def test_a_start_is_refused_with_what_helps(
    directory: Path, monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    monkeypatch.setattr("daemon.host.datadir.take", failing(code))
    with pytest.raises(DatadirError) as refused:
        Datadir.claim(directory)
    assert str(refused.value) == f"The data directory {directory} cannot be used ({os.strerror(code)}): {remedy}."


def test_a_write_into_a_full_disk_names_the_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space") as failed:
        write_private(directory / "identity", "text")
    assert sentence_of(failed.value) == f"{directory}/identity: No space left on device: free some space."


@pytest.mark.usefixtures("read_only")
def test_the_doctor_tells_a_read_only_file_system_from_missing_rights(directory: Path) -> None:
    assert why_unwritable(directory) == (
        f"The data directory {directory} is on a file system that is mounted read-only.",
        "Mount it writable, or use --datadir.",
    )


@pytest.mark.usefixtures("read_only")
def test_a_backup_of_a_read_only_directory_says_to_copy_it_first(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_open(*arguments: object) -> NoReturn:
        raise sqlite3.OperationalError("unable to open database file")

    database_of_ours(directory)
    monkeypatch.setattr("daemon.upkeep.backup._back_up", cannot_open)
    with pytest.raises(BackupError, match=r"mounted read-only.*copy the whole directory"):
        back_up_datadir(directory, tmp_path / "backup.tar")


def failing(code: int) -> Any:
    def fail(*arguments: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail
