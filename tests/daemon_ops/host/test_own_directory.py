"""Nothing that others own is taken over: neither the rights of a directory, nor a file or socket in our place."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.load import load_settings
from config.settings import Settings
from daemon.host.datadir import Datadir, DatadirError
from daemon.host.own_directory import claim_to
from daemon.main import main
from daemon.store.connection import Inspection, open_writer
from daemon.store.migrate import migrate, shipped_migrations
from daemon.upkeep.backup import BackupError, back_up_datadir
from daemon.upkeep.doctor import Severity, examine
from rpc.errors import ListenError
from rpc.server.listen import UnixSocket

OF_A_DAEMON = "4711       0123456789abcdef\n"
Prepare = Callable[[Path], object]


def files(*names: str, content: str = "theirs\n") -> Prepare:
    return lambda path: [(path / name).write_text(content) for name in names]


def of_a_daemon_and_more(path: Path) -> None:
    files("lock", content=OF_A_DAEMON)(path)
    files("notes.txt")(path)


def database_of_ours(path: Path) -> None:
    with closing(open_writer(path / "musigd.sqlite3")) as conn:
        migrate(conn, path / "musigd.sqlite3", Inspection(version=0, is_new=True), shipped_migrations())


OURS: dict[str, Prepare] = {
    "empty": files(),
    "our settings": files("musigd.toml"),
    "a new file system": lambda path: (path / "lost+found").mkdir(),
    "a lock not written yet": files("lock", content=""),
    "the lock of a daemon": of_a_daemon_and_more,
    "the lock of an older daemon": files("lock", "notes.txt", content="4711      \n"),
    "a database of ours": database_of_ours,
}
THEIRS: dict[str, tuple[int, Prepare]] = {
    "files of others": (0o755, files("notes.txt")),
    "a lock of others": (0o755, files("lock", "notes.txt")),
    "nothing but a lock of others": (0o755, files("lock")),
    "a database of others": (0o755, files("musigd.sqlite3")),
    "for everybody, and empty": (0o1777, files()),
    "private, with a lock of others": (0o700, files("lock")),
    "private, with an endpoint of others": (0o700, files("endpoint.json")),
    "private, with a cookie of others": (0o700, files(".cookie")),
    "private, with a socket of others": (0o700, files("musigd.sock")),
}


def settings() -> Settings:
    return load_settings(flags={"rpc.listen": "127.0.0.1:0", "p2p.listen": "/ip4/127.0.0.1/tcp/0"}, file=None)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "directory"
    path.mkdir()
    return path


def state(path: Path) -> tuple[int, dict[str, tuple[int, bytes]]]:
    """Rights and content of a directory with plain files in it."""
    inside = {each.name: (each.stat().st_mode, each.read_bytes()) for each in path.iterdir()}
    return stat.S_IMODE(path.stat().st_mode), inside


@pytest.mark.parametrize("kind", OURS)
def test_an_own_directory_is_made_private(directory: Path, kind: str) -> None:
    OURS[kind](directory)
    directory.chmod(0o755)
    Datadir.claim(directory).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", THEIRS)
def test_a_directory_of_others_is_refused_and_stays_as_it_is(
    directory: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mode, prepare = THEIRS[kind]
    prepare(directory)
    directory.chmod(mode)
    before = state(directory)

    with pytest.raises(DatadirError, match="Choose another with --datadir"):
        Datadir.claim(directory)
    assert main(["run", "--datadir", str(directory)]) in {1, 2}

    assert len(capsys.readouterr().err.splitlines()) == 1
    assert state(directory) == before


def test_the_doctor_predicts_the_refusal(directory: Path) -> None:
    files("notes.txt")(directory)
    directory.chmod(0o755)
    (finding, *_) = [each for each in examine(settings(), directory, {}) if each.severity is Severity.FAULT]
    assert "its rights are not changed" in finding.remedy


def test_a_private_directory_with_files_of_others_is_used_and_keeps_its_rights(directory: Path) -> None:
    files("notes.txt")(directory)
    directory.chmod(0o700)
    with closing(Datadir.claim(directory)) as claimed, pytest.raises(DatadirError, match="its rights are not changed"):
        claimed.let_group_in("root")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("below", [".", "musigd"])
def test_a_link_to_nowhere_is_named_and_nothing_is_made(tmp_path: Path, below: str) -> None:
    link = tmp_path / "volume"
    link.symlink_to(tmp_path / "not mounted")
    with pytest.raises(DatadirError, match=r"volume is a link to .*not mounted, which does not exist"):
        Datadir.claim(link / below)
    (finding, *_) = examine(settings(), link / below, {})
    assert finding.severity is Severity.FAULT
    assert "is a link to what does not exist" in finding.what
    assert list(tmp_path.iterdir()) == [link]


def test_a_link_in_a_circle_is_named(tmp_path: Path) -> None:
    link = tmp_path / "volume"
    link.symlink_to(link)
    with pytest.raises(DatadirError, match="which does not exist"):
        Datadir.claim(link)


def test_a_lock_that_is_a_link_is_not_written_through(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("theirs\n")
    directory.chmod(0o700)
    (directory / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(DatadirError):
        Datadir.claim(directory)
    assert (tmp_path / "precious").read_text() == "theirs\n"


def test_looking_at_a_directory_changes_nothing(directory: Path) -> None:
    directory.chmod(0o755)
    assert claim_to(directory).is_open
    assert state(directory) == (0o755, {})


# Sockets


@pytest.fixture
def runtime(tmp_path: Path, directory: Path) -> Iterator[tuple[Datadir, Path]]:
    """A data directory whose path is too long for a socket, and a directory for everybody, such as /tmp."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as shared:
        Path(shared).chmod(0o1777)
        with closing(Datadir.claim(directory / ("d" * 90))) as claimed:
            yield claimed, Path(shared)


def test_a_planted_link_leads_to_no_socket(runtime: tuple[Datadir, Path], directory: Path) -> None:
    claimed, shared = runtime
    (shared / "run").symlink_to(directory)
    with pytest.raises(DatadirError, match="this user alone"):
        claimed.socket({"XDG_RUNTIME_DIR": str(shared / "run")})


def test_a_runtime_directory_that_cannot_be_made_is_refused_with_a_sentence(runtime: tuple[Datadir, Path]) -> None:
    claimed, shared = runtime
    with pytest.raises(DatadirError, match="cannot be made"):
        claimed.socket({"XDG_RUNTIME_DIR": str(shared / "no" / "run")})


def test_a_file_that_is_not_a_socket_is_not_replaced(short: Path) -> None:
    for prepare in (lambda path: path.write_text("theirs"), lambda path: path.symlink_to("/dev/null"), Path.mkdir):
        path = short / f"{len(list(short.iterdir()))}.sock"
        prepare(path)
        with pytest.raises(ListenError, match="remove what is in its place"):
            UnixSocket.bind(path)
        assert os.path.lexists(path)


def test_a_stop_removes_the_socket_that_was_made_and_no_other(short: Path) -> None:
    first = UnixSocket.bind(short / "musigd.sock")
    second = UnixSocket.bind(short / "musigd.sock")
    first.remove()
    assert (short / "musigd.sock").is_socket()
    second.remove()
    second.remove()
    assert not (short / "musigd.sock").exists()
    first.bound.close()
    second.bound.close()


@pytest.fixture
def short(runtime: tuple[Datadir, Path]) -> Path:
    return runtime[1]


# Backups


@pytest.mark.parametrize("kind", ["file", "directory", "link", "socket"])
def test_a_backup_overwrites_nothing(directory: Path, short: Path, kind: str) -> None:
    database_of_ours(directory)
    target = short / "backup.tar"
    with closing(socket.socket(socket.AF_UNIX)) as bound:
        take: dict[str, Callable[[], object]] = {
            "file": lambda: target.write_text("theirs"),
            "directory": target.mkdir,
            "link": lambda: target.symlink_to("nowhere"),
            "socket": lambda: bound.bind(str(target)),
        }
        take[kind]()
        before = target.lstat().st_ino
        with pytest.raises(BackupError, match="exists already"):
            back_up_datadir(directory, target)
        assert target.lstat().st_ino == before


def test_a_backup_that_fails_leaves_nothing(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    database_of_ours(directory)
    monkeypatch.setattr("daemon.upkeep.backup._write_tar", fail)
    with pytest.raises(BackupError, match="No space left"):
        back_up_datadir(directory, tmp_path / "backup.tar")
    assert [each.name for each in tmp_path.iterdir()] == ["directory"]
