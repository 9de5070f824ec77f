"""A lost file of a running daemon is made again, or reported with a remedy, and logged once."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.host.own_files import Loss, OwnFiles
from daemon.store import DatabaseGone
from daemon.upkeep.file_remedies import of_identity, of_passphrase
from daemon.upkeep.file_watch import FileWatch


def watch(gone: DatabaseGone | None = None) -> FileWatch:
    return FileWatch(OwnFiles(), lambda: gone)


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "identity"
    path.write_text("ab" * 32)
    return path


def test_a_file_moved_away_and_back_or_copied_back_is_not_lost(identity: Path) -> None:
    files = OwnFiles()
    files.know(identity)
    identity.rename(identity.with_name("aside"))
    assert files.lost() == {identity: Loss.REMOVED}
    identity.write_bytes(identity.with_name("aside").read_bytes())
    assert files.lost() == {}


def test_a_file_with_another_content_in_its_place_is_lost(identity: Path) -> None:
    files = OwnFiles()
    files.know(identity)
    identity.rename(identity.with_name("aside"))
    identity.write_text("cd" * 32)
    assert files.lost() == {identity: Loss.REPLACED}


def test_files_below_a_directory_that_was_removed_are_lost(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "musigd.sock"
    files = OwnFiles()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        files.know(path)
        assert files.lost() == {}
    path.unlink()
    path.parent.rmdir()
    assert files.lost() == {path: Loss.REMOVED}


@pytest.mark.parametrize(
    ("loss", "remedy"), [(Loss.REMOVED, "only the daemon still knows it"), (Loss.REPLACED, "replaced by another")]
)
async def test_a_lost_identity_is_a_problem_with_a_remedy_and_logged_once(
    identity: Path, loss: Loss, remedy: str
) -> None:
    watching = watch()
    watching.tell_of(identity, of_identity(identity))
    assert watching.problems() == []
    identity.rename(identity.with_name("aside"))
    if loss is Loss.REPLACED:
        identity.write_text("cd" * 32)
    with capture_logs() as logs:
        await watching.look()
        await watching.look()
    ((reason, said),) = watching.problems()
    assert reason == "identity_lost"
    assert remedy in said
    assert [(line["reason"], line["remedy"]) for line in logs] == [(reason, said)]


def test_a_passphrase_file_that_is_no_longer_needed_does_not_count_as_lost(identity: Path) -> None:
    needed = [True]
    watching = watch()
    watching.tell_of(identity, of_passphrase(identity), lambda: needed[0])
    identity.unlink()
    ((reason, _),) = watching.problems()
    needed[0] = False
    assert reason == "passphrase_lost"
    assert watching.problems() == []


async def test_files_that_clients_need_are_made_again_and_reported(identity: Path) -> None:
    async def renew() -> None:
        identity.write_text("new")

    watching = watch()
    watching.keep(identity, renew)
    identity.unlink()
    with capture_logs() as logs:
        await watching.look()
        await watching.look()
    assert identity.read_text() == "new"
    assert watching.problems() == []
    assert [line["event"] for line in logs] == ["a file of the daemon was lost and is made again"]


async def test_a_file_that_cannot_be_made_again_is_a_problem_until_it_can(identity: Path) -> None:
    able = False

    async def renew() -> None:
        if not able:
            raise OSError(30, "Read-only file system")
        identity.write_text("new")

    watching = watch()
    watching.keep(identity, renew)
    identity.unlink()
    with capture_logs() as logs:
        await watching.look()
    ((reason, remedy),) = watching.problems()
    assert reason == "file_lost"
    assert "was removed, and could not be made again yet" in remedy
    assert "Read-only file system" in logs[0]["remedy"]
    able = True
    await watching.look()
    assert watching.problems() == []


async def test_nothing_is_made_again_in_a_directory_whose_database_or_lock_is_lost(identity: Path) -> None:
    async def renew() -> None:
        raise AssertionError("another daemon may be there")

    watching = watch(DatabaseGone("gone"))
    watching.keep(identity, renew)
    identity.unlink()
    with capture_logs() as logs:
        await watching.look()
    assert [line["reason"] for line in logs] == ["database_gone", "file_lost"]


async def test_files_that_a_stopping_daemon_removes_do_not_count_as_lost(identity: Path) -> None:
    async def renew() -> None:
        raise AssertionError("it is stopping")

    watching = watch()
    watching.keep(identity, renew)
    watching.let_go()
    identity.unlink()
    with capture_logs() as logs:
        await watching.look()
    assert (watching.problems(), logs) == ([], [])
