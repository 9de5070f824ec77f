"""A policy file that is gone does not switch the rules off: the start is refused until the owner decides."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from config.load import load_settings
from daemon.app import App
from daemon.audit import log
from daemon.audit.log import AuditLog
from daemon.clock import SystemClock
from daemon.errors import EXIT_CONFIGURATION
from daemon.host.datadir import Datadir
from daemon.keys.passphrase import find_passphrase
from daemon.main import main
from daemon.policy.in_force import PolicyLost
from daemon.policy.read import read_policy
from daemon.store import Store
from daemon.upkeep.backup import back_up_datadir, restore_datadir
from daemon.upkeep.datadir_parts import finish

T = TypeVar("T")
RULES = '[[rule]]\nname = "small"\nverdict = "join"\nmax_amount = 1_000\n'


async def _start(datadir: Path, named: Path | None) -> None:
    claimed = Datadir.claim(datadir)
    app: App | None = None
    try:
        app = App(load_settings(flags={"policy.file": str(named)} if named else {}, file=None), claimed)
        await app.store.write(app.rules_on_record.note)
        await app.keystore.start(find_passphrase(datadir, None, {}))
        finish(datadir)
    finally:
        if app is not None:
            await app.store.close()
        claimed.close()


def start(datadir: Path, named: Path | None = None) -> None:
    """As far as the rules of a daemon are read and noted."""
    asyncio.run(_start(datadir, named))


def write(datadir: Path, what: Callable[[sqlite3.Connection], T]) -> T:
    async def opened() -> T:
        store = Store.open(datadir / "musigd.sqlite3")
        try:
            return await store.write(what)
        finally:
            await store.close()

    return asyncio.run(opened())


def on_record(datadir: Path) -> list[dict[str, Any]]:
    found = write(datadir, lambda conn: [orjson.loads(line.body) for line in log.lines_after(conn, 0)])
    return [line for line in found if line["what"].startswith("policy:")]


def dropped(datadir: Path) -> int:
    return main(["policy", "drop", "--datadir", str(datadir)])


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Rules were in force in it."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    (path / "policy.toml").write_text(RULES)
    start(path)
    return path


def test_a_start_without_the_file_is_refused_until_it_is_back(datadir: Path, tmp_path: Path) -> None:
    (datadir / "policy.toml").rename(tmp_path / "away.toml")
    for _ in range(2):
        with pytest.raises(PolicyLost, match=r"Put it back.*musigd policy drop") as refused:
            start(datadir)
    assert refused.value.exit_code == EXIT_CONFIGURATION
    (tmp_path / "away.toml").rename(datadir / "policy.toml")
    start(datadir)


def test_a_setting_that_is_gone_loses_the_file_that_it_named(datadir: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "rules.toml"
    (datadir / "policy.toml").rename(elsewhere)
    start(datadir, elsewhere)
    with pytest.raises(PolicyLost, match=str(elsewhere)):
        start(datadir)


def test_dropped_rules_are_gone_and_that_is_on_record(datadir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (datadir / "policy.toml").unlink()
    assert dropped(datadir) == 0
    said = capsys.readouterr().out
    start(datadir)
    line = on_record(datadir)[-1]
    assert (line["what"], line["policy"]) == ("policy:dropped", "none")
    assert f"The policy {line['former']} is dropped" in said


def test_rules_whose_file_is_there_and_rules_of_a_running_daemon_are_not_dropped(
    datadir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dropped(datadir) != 0
    assert "move it away first" in capsys.readouterr().err
    (datadir / "policy.toml").unlink()
    claimed = Datadir.claim(datadir)
    assert dropped(datadir) != 0
    claimed.close()
    with pytest.raises(PolicyLost):
        start(datadir)


def test_where_there_were_no_rules_none_are_missed_or_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dropped(tmp_path / "nowhere") != 0
    (tmp_path / "data").mkdir(mode=0o700)
    start(tmp_path / "data")
    start(tmp_path / "data")
    assert dropped(tmp_path / "data") != 0
    assert "none were in force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "facts", "is_lost"),
    [
        ("partial", {"policy": "0123456789abcdef", "verdict": "join"}, True),
        ("policy:reloaded", {"active": True, "rules": ["small"]}, True),
        ("policy:reloaded", {"active": False, "rules": []}, False),
        ("call", {"method": "createToken", "label": '"policy":"x"'}, False),
    ],
)
def test_of_a_database_that_remembers_nothing_the_audit_log_says_whether_there_were_rules(
    datadir: Path, what: str, facts: dict[str, Any], is_lost: bool
) -> None:
    (datadir / "policy.toml").unlink()

    def as_before(conn: sqlite3.Connection) -> None:
        conn.execute("DELETE FROM meta WHERE name = 'policy_in_force'")
        audit = AuditLog(SystemClock())
        audit.append(conn, "policy:reloaded", {"active": False, "rules": []})
        audit.append(conn, what, facts)

    write(datadir, as_before)
    if is_lost:
        with pytest.raises(PolicyLost):
            start(datadir)
        assert dropped(datadir) == 0
    start(datadir)
    assert dropped(datadir) != 0


def test_each_change_of_the_rules_is_on_record_and_a_start_without_one_is_not(datadir: Path) -> None:
    digest = read_policy(datadir / "policy.toml").digest
    start(datadir)
    (datadir / "policy.toml").write_text(RULES.replace("small", "tiny"))
    start(datadir)
    (datadir / "policy.toml").unlink()
    dropped(datadir)
    start(datadir)
    (datadir / "policy.toml").write_text(RULES)
    start(datadir)
    lines = [(line["what"], line["policy"]) for line in on_record(datadir)]
    tiny = lines[1][1]
    assert tiny != digest
    in_force = "policy:in-force"
    assert lines == [(in_force, digest), (in_force, tiny), ("policy:dropped", "none"), (in_force, digest)]


def test_a_daemon_that_never_had_rules_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    for _ in range(2):
        start(tmp_path / "data")
    assert [(line["what"], line["policy"]) for line in on_record(tmp_path / "data")] == [("policy:in-force", "none")]


@pytest.mark.parametrize("how", ["is lost", "is broken"])
def test_doctor_and_config_check_say_what_a_start_would_be_refused_for(
    datadir: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    checks = [["config", "check"], ["doctor", "--rpc-listen", "127.0.0.1:0", "--p2p-listen", "/ip4/127.0.0.1/tcp/0"]]
    for check in checks:
        assert main([*check, "--datadir", str(datadir)]) == 0
    assert "The policy can be read (1 rules, " in capsys.readouterr().out
    if how == "is lost":
        (datadir / "policy.toml").unlink()
    else:
        (datadir / "policy.toml").write_text("[[rule]]")
    said = "The policy is lost" if how == "is lost" else "line 1: a rule: name must be"
    for check in checks:
        assert main([*check, "--datadir", str(datadir)]) != 0
        told = capsys.readouterr()
        assert said in told.out + told.err


def test_a_restored_backup_without_its_policy_is_refused_at_the_start(datadir: Path, tmp_path: Path) -> None:
    (datadir / "policy.toml").rename(tmp_path / "away.toml")
    back_up_datadir(datadir, tmp_path / "a.tar")
    restore_datadir(tmp_path / "a.tar", tmp_path / "new")
    with pytest.raises(PolicyLost):
        start(tmp_path / "new")
    (tmp_path / "away.toml").rename(tmp_path / "new" / "policy.toml")
    start(tmp_path / "new")
