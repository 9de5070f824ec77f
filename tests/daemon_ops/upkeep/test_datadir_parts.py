"""Only an empty directory makes a first start. A part that is missing beside others was lost and is not replaced."""

from __future__ import annotations

import signal
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from config.load import load_settings
from config.settings import Settings
from daemon.host.datadir import Datadir
from daemon.keys.identity import load_seed, make_seed
from daemon.main import main
from daemon.store import Store
from daemon.upkeep import datadir_parts
from daemon.upkeep.backup import BackupError, back_up_datadir
from daemon.upkeep.datadir_parts import DatabaseThere, IncompleteDatadir
from daemon.upkeep.doctor import Severity, examine
from tests.daemon_ops.ops_world import started
from tests.e2e.vessels import Vessel

Change = Callable[[Path], object]


@pytest.fixture
async def whole(tmp_path: Path) -> Path:
    """The data directory of a daemon that has run and stopped."""
    path = tmp_path / "datadir"
    Datadir.claim(path).close()
    store = Store.open(path / "musigd.sqlite3")
    await (await started(store, path)).create("lotus")
    await store.close()
    make_seed(path)
    return path


def contents(path: Path) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), stat.S_IMODE(each.stat().st_mode)) for each in path.iterdir()}


def unlink(*names: str) -> Callable[[Path], object]:
    def change(datadir: Path) -> None:
        for name in names:
            (datadir / name).unlink()

    return change


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda datadir: (datadir / name).write_bytes(content)


def both(*changes: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda datadir: [change(datadir) for change in changes]


def drop_all_tables(datadir: Path) -> None:
    (datadir / "musigd.sqlite3").unlink()
    with closing(sqlite3.connect(datadir / "musigd.sqlite3", isolation_level=None)) as conn:
        conn.executescript("CREATE TABLE x (y); DROP TABLE x;")


def forget_the_vault(datadir: Path) -> None:
    with closing(sqlite3.connect(datadir / "musigd.sqlite3", isolation_level=None)) as conn:
        conn.execute("DELETE FROM vault")


DAMAGES = {
    "database deleted": (unlink("musigd.sqlite3"), "no database beside `identity` and `passphrase`"),
    "database emptied": (write("musigd.sqlite3", b""), "an empty or unfinished database beside"),
    "database without tables": (drop_all_tables, "an empty or unfinished database"),
    "database without a vault": (forget_the_vault, "an empty or unfinished database"),
    "passphrase alone": (unlink("musigd.sqlite3", "identity"), "no database beside `passphrase`"),
    "identity alone": (unlink("musigd.sqlite3", "passphrase"), "no database beside `identity`"),
    "empty database alone": (
        both(unlink("passphrase", "identity"), write("musigd.sqlite3", b"")),
        "an empty or unfinished database; the keys",
    ),
    "journal without its database": (
        both(unlink("musigd.sqlite3", "passphrase", "identity"), write("musigd.sqlite3-wal", b"frames")),
        "an empty or unfinished database; the keys",
    ),
    "identity deleted": (unlink("identity"), "a database and no peer identity"),
    "generated passphrase deleted": (unlink("passphrase"), "lost the generated file `passphrase`"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_partial_set_is_refused_with_the_remedy_and_nothing_is_written(
    whole: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = DAMAGES[damage]
    change(whole)
    before = contents(whole)

    code = main(["run", "--datadir", str(whole)])

    (line,) = capsys.readouterr().err.splitlines()
    assert code == 1
    assert said in line
    assert "musigd restore FILE" in line
    assert contents(whole) == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_doctor_says_the_same(whole: Path, damage: str) -> None:
    change, said = DAMAGES[damage]
    change(whole)
    before = contents(whole)
    faults = [finding for finding in examine(settings(), whole, {}) if finding.severity is Severity.FAULT]
    assert [finding.what for finding in faults] == ["The data directory is not whole: a start is refused."]
    assert said in faults[0].remedy
    assert contents(whole) == before


def settings() -> Settings:
    return load_settings(flags={"rpc.listen": "127.0.0.1:0", "p2p.listen": "/ip4/127.0.0.1/tcp/0"}, file=None)


def test_a_complete_set_and_an_empty_directory_are_accepted(whole: Path, tmp_path: Path) -> None:
    assert not datadir_parts.is_first_start(whole, datadir_parts.look(whole, None, {}))
    assert datadir_parts.is_first_start(tmp_path / "new", datadir_parts.look(tmp_path / "new", None, {}))
    Datadir.claim(tmp_path / "new").close()
    (tmp_path / "new" / "musigd.toml").write_text("")
    assert datadir_parts.is_first_start(tmp_path / "new", datadir_parts.look(tmp_path / "new", None, {}))


def test_a_passphrase_elsewhere_does_not_count_as_missing(whole: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted"
    (whole / "passphrase").rename(elsewhere)
    assert not datadir_parts.is_first_start(whole, datadir_parts.look(whole, elsewhere, {}))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    elsewhere.rename(credentials / "passphrase")
    environment = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert not datadir_parts.is_first_start(whole, datadir_parts.look(whole, None, environment))


def test_a_passphrase_put_there_before_the_first_start_does_not_count_as_a_part(tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("mine")
    configured = tmp_path / "passphrase"
    assert datadir_parts.is_first_start(tmp_path, datadir_parts.look(tmp_path, configured, {}))


@pytest.mark.parametrize("made", [(), ("musigd.sqlite3",), ("musigd.sqlite3", "identity"), ("identity", "passphrase")])
def test_a_first_start_that_was_cut_off_goes_on(tmp_path: Path, made: tuple[str, ...]) -> None:
    assert datadir_parts.begin(tmp_path, datadir_parts.look(tmp_path, None, {}))
    for name in made:
        (tmp_path / name).write_bytes(b"")

    assert datadir_parts.begin(tmp_path, datadir_parts.look(tmp_path, None, {}))

    datadir_parts.finish(tmp_path)
    if made:
        with pytest.raises(IncompleteDatadir):
            datadir_parts.begin(tmp_path, datadir_parts.look(tmp_path, None, {}))


def test_a_new_database_is_made_where_it_is_asked_for_and_nothing_is_removed(whole: Path) -> None:
    (whole / "musigd.sqlite3").write_bytes(b"")
    (whole / "musigd.sqlite3-wal").write_bytes(b"frames")
    former = load_seed(whole).hex()

    datadir_parts.give_up_former(whole)

    assert datadir_parts.begin(whole, datadir_parts.look(whole, None, {}))
    kept = {
        name.partition(".former-")[0]: content for name, (content, _) in contents(whole).items() if "former" in name
    }
    assert kept == {"musigd.sqlite3": b"", "musigd.sqlite3-wal": b"frames", "identity": f"{former}\n".encode()}
    assert make_seed(whole).hex() != former


def test_a_new_database_never_takes_the_place_of_one(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(whole)
    assert main(["run", "--datadir", str(whole), "--new-database"]) == 2
    assert "--new-database: there is a database in" in capsys.readouterr().err
    assert contents(whole) == before


@pytest.mark.network
async def test_a_daemon_with_a_new_database_is_another_peer_and_complete(whole: Path, tmp_path: Path) -> None:
    former = load_seed(whole)
    (whole / "musigd.sqlite3").write_bytes(b"")
    vessel = Vessel(tmp_path, whole.name, "test-anew")
    try:
        await vessel.start(options=["--new-database"])
        vessel.send(signal.SIGTERM)
        assert await vessel.ended() == 0
    finally:
        await vessel.close()
    assert load_seed(whole) != former
    assert not (whole / "first-start").exists()
    assert not datadir_parts.is_first_start(whole, datadir_parts.look(whole, None, {}))
    with pytest.raises(DatabaseThere):
        datadir_parts.refuse_new_database(whole, datadir_parts.look(whole, None, {}))


def test_the_doctor_does_not_say_of_a_lost_database_that_there_is_none_yet(whole: Path) -> None:
    unlink("musigd.sqlite3")(whole)
    assert "There is no database yet." not in [finding.what for finding in examine(settings(), whole, {})]


def test_doctor_and_backup_say_not_to_stop_a_daemon_whose_database_was_removed(whole: Path, tmp_path: Path) -> None:
    unlink("musigd.sqlite3")(whole)
    held = Datadir.claim(whole)
    try:
        remedies = [finding.remedy for finding in examine(settings(), whole, {})]
        with pytest.raises(BackupError, match="Do not stop the daemon"):
            back_up_datadir(whole, tmp_path / "backup")
    finally:
        held.close()
    assert datadir_parts.DO_NOT_STOP in remedies
