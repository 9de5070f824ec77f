"""A backup holds all that is needed and nothing dangerous; a restore happens whole or not at all."""

from __future__ import annotations

import io
import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from daemon.access.tokens import Tokens
from daemon.clock import SystemClock
from daemon.events import EventLog
from daemon.host.datadir import Datadir, DatadirLocked
from daemon.keys.identity import load_seed, make_seed
from daemon.main import main
from daemon.policy.in_force import InForce, remember
from daemon.policy.read import digest_of
from daemon.store import Store, StoreError
from daemon.upkeep.backup import BURN_MARK, BackupError, back_up_datadir, restore_datadir
from tests.daemon_ops.ops_world import started

MSG = b"\x07" * 32


@pytest.fixture
async def backup(store: Store, tmp_path: Path) -> Path:
    """A backup of a data directory with a key and an event, made while the store is open."""
    log = EventLog(store=store, clock=SystemClock())
    await log.start()
    await (await started(store, tmp_path)).create("lotus")
    await store.write(lambda conn: log.append(conn, "x", {}))
    make_seed(tmp_path)
    target = tmp_path / "backup.tar"
    back_up_datadir(tmp_path, target)
    return target


def meta(database: Path) -> dict[str, object]:
    with closing(sqlite3.connect(database)) as conn:
        return dict(conn.execute("SELECT name, value FROM meta").fetchall())


async def test_a_restored_key_signs(backup: Path, tmp_path: Path, store: Store) -> None:
    key = store.read(lambda conn: conn.execute("SELECT pubkey FROM keys").fetchone()[0])
    datadir = tmp_path / "new"
    restore_datadir(backup, datadir)
    restored = Store.open(datadir / "musigd.sqlite3")
    assert len((await started(restored, datadir)).sign(key, MSG)) == 64
    await restored.close()


async def test_a_restored_daemon_is_another_peer_and_abandons_open_attempts(
    backup: Path, tmp_path: Path, store: Store
) -> None:
    datadir = tmp_path / "new"
    restore_datadir(backup, datadir)
    assert load_seed(datadir) != load_seed(tmp_path)
    assert (datadir / "identity.from-backup").read_text() == (tmp_path / "identity").read_text()
    marks = meta(datadir / "musigd.sqlite3")
    assert marks[BURN_MARK] == 1
    assert marks["log_id"] != meta(store.path)["log_id"]


async def test_a_backup_and_what_it_restores_are_private(backup: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    datadir = tmp_path / "new"
    restore_datadir(backup, datadir)
    assert stat.S_IMODE(datadir.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in datadir.iterdir()} == {0o600}


async def test_a_backup_says_whether_it_opens_by_itself(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, said in (("a.tar", "and what opens them"), ("b.tar", "but not the passphrase that opens them")):
        assert main(["backup", str(tmp_path / name), "--datadir", str(tmp_path)]) == 0
        assert said in capsys.readouterr().out
        (tmp_path / "passphrase").unlink(missing_ok=True)


RULES = '[[rule]]\nname = "small"\nverdict = "join"\nmax_amount = 1_000\n'


async def test_policy_and_settings_are_restored(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.write(lambda conn: remember(conn, InForce(digest_of(RULES.encode()))))
    (tmp_path / "policy.toml").write_text(RULES)
    (tmp_path / "musigd.toml").write_text('network = "test"\n')
    assert main(["backup", str(tmp_path / "a.tar"), "--datadir", str(tmp_path)]) == 0
    assert "In it: the policy.\nIn it: musigd.toml.\n" in capsys.readouterr().out
    new = tmp_path / "new"
    assert main(["restore", str(tmp_path / "a.tar"), "--datadir", str(new)]) == 0
    assert f"The policy is in {new / 'policy.toml'}.\n" in capsys.readouterr().out
    assert (new / "policy.toml").read_text() == RULES
    assert (new / "musigd.toml").read_text() == 'network = "test"\n'
    assert {stat.S_IMODE(path.stat().st_mode) for path in new.iterdir()} == {0o600}


async def test_a_policy_in_force_as_it_stands_gets_no_warning(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.write(lambda conn: remember(conn, InForce(digest_of(RULES.encode()))))
    (tmp_path / "policy.toml").write_text(RULES)
    assert main(["backup", str(tmp_path / "a.tar"), "--datadir", str(tmp_path)]) == 0
    assert main(["restore", str(tmp_path / "a.tar"), "--datadir", str(tmp_path / "new")]) == 0
    assert "IN FORCE" not in capsys.readouterr().out


@pytest.mark.parametrize("in_force", [digest_of(RULES.encode()), ""])
async def test_a_policy_file_that_was_changed_since_it_was_read_is_told_from_the_one_in_force(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], in_force: str
) -> None:
    await store.write(lambda conn: remember(conn, InForce(in_force)))
    for changed in (RULES.replace("1_000", "9_000"), RULES.replace("max_amount", "max_amuont")):
        digest = digest_of(changed.encode())
        (tmp_path / "policy.toml").write_text(changed)
        assert main(["backup", str(tmp_path / f"{digest}.tar"), "--datadir", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert f"NOT THE POLICY IN FORCE: {tmp_path / 'policy.toml'} was changed" in said
        assert f"In force: {in_force or 'none'}. In the backup, as\nthe file is now: {digest}." in said
        assert ("And it cannot be used: " in said) == ("amuont" in changed)
        new = tmp_path / f"new {digest}"
        assert main(["restore", str(tmp_path / f"{digest}.tar"), "--datadir", str(new)]) == 0
        said = capsys.readouterr().out
        assert f"NOT THE POLICY THAT WAS IN FORCE at the backup ({in_force or 'none'})" in said
        assert digest in said
        assert (new / "policy.toml").read_text() == changed


async def test_a_policy_that_lies_elsewhere_is_in_the_backup_and_restored_into_the_directory(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "etc" / "rules.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(RULES)
    await store.write(lambda conn: remember(conn, InForce("77", str(elsewhere))))
    assert main(["backup", str(tmp_path / "a.tar"), "--datadir", str(tmp_path)]) == 0
    assert f"In it: the policy, as policy.toml, from {elsewhere}." in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "a.tar"), "--datadir", str(tmp_path / "new")]) == 0
    assert f"The policy was in {elsewhere}, and is in" in capsys.readouterr().out
    assert (tmp_path / "new" / "policy.toml").read_text() == RULES


async def test_a_backup_without_the_policy_in_force_says_so_and_its_restore_too(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store.write(lambda conn: remember(conn, InForce("77")))
    assert main(["backup", str(tmp_path / "a.tar"), "--datadir", str(tmp_path)]) == 0
    assert f"NOT IN IT: the policy in force: {tmp_path / 'policy.toml'}" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "a.tar"), "--datadir", str(tmp_path / "new")]) == 0
    assert "that was in force is not in this backup" in capsys.readouterr().out


async def test_a_backup_from_before_the_policy_was_in_it_is_restored(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as made:
        assert sorted(made.getnames()) == ["identity", "musigd-backup.json", "musigd.sqlite3", "passphrase"]
    assert not restore_datadir(backup, tmp_path / "new").has_policy


async def test_a_restore_names_the_tokens_in_force_and_no_secret(
    backup: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SystemClock()
    tokens = Tokens(store=store, clock=clock, events=EventLog(store=store, clock=clock))
    anna, secret = await tokens.create(["sign"], None, create_key=False, label="anna", expires_at=None)
    ben, _ = await tokens.create(["read"], None, create_key=False, label="ben", expires_at=None)
    back_up_datadir(tmp_path, tmp_path / "a.tar")
    assert main(["restore", str(tmp_path / "a.tar"), "--datadir", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert {f"  {anna}  anna  sign", f"  {ben}  ben  read"} <= set(said.splitlines())
    assert secret not in said


async def test_a_backup_is_never_overwritten(backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        back_up_datadir(tmp_path, backup)
    assert backup.read_bytes() == before


def test_there_must_be_something_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="nothing to back up"):
        back_up_datadir(tmp_path, tmp_path / "backup.tar")


async def test_a_restore_goes_into_an_empty_directory_only(backup: Path, tmp_path: Path) -> None:
    datadir = tmp_path / "new"
    datadir.mkdir()
    (datadir / "letter.txt").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        restore_datadir(backup, datadir)
    assert (datadir / "letter.txt").read_text() == "mine"


async def test_a_restore_into_a_locked_directory_is_refused_at_once(backup: Path, tmp_path: Path) -> None:
    claimed = Datadir.claim(tmp_path / "new")
    with pytest.raises(DatadirLocked):
        restore_datadir(backup, claimed.path)
    claimed.close()


def rewritten(backup: Path, name: str, content: bytes | None) -> Path:
    """The same backup with one member replaced, or without it."""
    target = backup.with_name("other.tar")
    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = old.extractfile(member)
            assert data is not None
            body = data.read()
            if member.name == name:
                if content is None:
                    continue
                body = content
            member.size = len(body)
            new.addfile(member, io.BytesIO(body))
    return target


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("musigd.sqlite3", None),
        ("musigd-backup.json", None),
        ("musigd-backup.json", b'{"format": 99}'),
        ("musigd-backup.json", b"garbage"),
        ("musigd.sqlite3", b"garbage" * 1000),
        ("musigd.sqlite3", b""),
        ("identity", b"\xff\xfe"),
        ("identity", b"0" * 2_000_000),
    ],
)
async def test_a_damaged_backup_leaves_nothing_behind(
    backup: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    datadir = tmp_path / "new"
    with pytest.raises((BackupError, StoreError)):
        restore_datadir(rewritten(backup, name, content), datadir)
    assert [path.name for path in datadir.iterdir()] == ["lock"]
    restore_datadir(backup, datadir)  # and the good one still goes in


async def test_paths_in_an_archive_mean_nothing(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "evil.tar"
    with tarfile.open(backup) as old, tarfile.open(target, "w") as new:
        for member in old:
            new.addfile(member, old.extractfile(member))
        evil = tarfile.TarInfo("../escaped")
        evil.size = 4
        new.addfile(evil, io.BytesIO(b"evil"))
        link = tarfile.TarInfo("passphrase")
        link.type = tarfile.SYMTYPE
        link.linkname = os.devnull
        new.addfile(link)
    restore_datadir(target, tmp_path / "new")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "new" / "passphrase").is_symlink()


def test_a_file_that_is_not_an_archive_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("hello")
    for name, said in (("letter.txt", "not a usable backup"), ("nowhere", r"cannot be read .*\(No such file")):
        source = tmp_path / name
        with pytest.raises(BackupError, match=rf"{name} .*{said}"):
            restore_datadir(source, tmp_path / "new")
