"""`musigd config show` prints the settings in force and those that need a reload or a restart."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from config.load import load_settings
from config.running_settings import RunningSettings
from config.settings import Settings
from config.show import as_text
from daemon.api.settings import SettingsMethods
from daemon.main import main
from rpc.caller import owner
from rpc.models.wire import NoParams
from tests.e2e.vessels import Vessel

TLS = {"rpc.tls_cert": "/a/cert.pem", "rpc.tls_key": "/a/key.pem"}


def reading(*texts: str, file: Path) -> RunningSettings:
    """The settings of a daemon that was started with the first text in its file; the others are read one by one."""
    following = iter(texts)

    def read() -> Settings:
        file.write_text(next(following))
        return load_settings(flags={"network": "test"}, file=file)

    return RunningSettings(read(), read)


def lines(running: RunningSettings) -> dict[str, str]:
    rows, _ = running.shown()
    return {line.split(" ")[0]: line.partition("= ")[2] for line in as_text(rows).splitlines()}


def test_the_settings_in_the_file_are_shown_beside_those_in_force(tmp_path: Path) -> None:
    file = tmp_path / "musigd.toml"
    changed = "drain_ms = 7\n[log]\nlevel = 'debug'"
    shown = lines(reading("drain_ms = 5", changed, file=file))
    assert shown["drain_ms"].split() == f"5 # file {file}; after a restart: 7 (file {file})".split()
    assert shown["log.level"].split() == f'"info" # default; after a reload (SIGHUP): "debug" (file {file})'.split()
    assert shown["network"].split() == ['"test"', "#", "flag", "--network"]


def test_settings_that_a_reload_applied_are_in_force(tmp_path: Path) -> None:
    file = tmp_path / "musigd.toml"
    changed = "drain_ms = 7\n[log]\nlevel = 'debug'\nformat = 'json'"
    running = reading("", changed, changed, file=file)
    assert running.take_over(running.read_again()) == (("log.level",), ("drain_ms", "log.format"))
    shown = lines(running)
    assert shown["log.level"].split() == f'"debug" # file {file}'.split()
    assert "after a restart: 7" in shown["drain_ms"]
    assert (running.current.log.level, running.current.log.format, running.current.drain_ms) == (
        "debug",
        "console",
        5_000,
    )


@pytest.mark.parametrize(("before", "after", "by_reload"), [({}, TLS, False), (TLS, {}, False), (TLS, TLS, True)])
def test_tls_files_are_exchanged_by_a_reload_and_tls_itself_by_a_restart(
    before: dict[str, str], after: dict[str, str], by_reload: bool
) -> None:
    changed = {name: value.replace("/a/", "/b/") for name, value in after.items()}
    running = RunningSettings(load_settings(flags=before, file=None), lambda: load_settings(flags=changed, file=None))
    rows, _ = running.shown()
    waiting = [row.waiting for row in rows if row.waiting is not None]
    assert [each.by_reload for each in waiting] == [by_reload, by_reload]


async def test_a_file_that_a_restart_could_not_read_is_reported(tmp_path: Path) -> None:
    running = reading("", "drain_ms = 'x'", file=tmp_path / "musigd.toml")
    told = await SettingsMethods(running).get_settings(owner(), NoParams())
    assert told.problem is not None
    assert "drain_ms" in told.problem
    assert all(each.waiting is None for each in told.settings)


@pytest.mark.network
async def test_a_running_daemon_is_asked_for_its_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vessel = Vessel(tmp_path, "Alice", "test-show")
    file = vessel.datadir / "musigd.toml"

    async def show(*flags: str) -> tuple[str, str]:
        assert await asyncio.to_thread(main, ["config", "show", "--datadir", str(vessel.datadir), *flags]) == 0
        said = capsys.readouterr()
        return " ".join(said.out.split()), said.err

    vessel.datadir.mkdir(mode=0o700)
    file.write_text("drain_ms = 500\n[limits]\nnotices = 9")
    try:
        await vessel.start()
        file.write_text("drain_ms = 600\n[limits]\nnotices = 9\n[log]\nlevel = 'debug'")
        assert 'after a reload (SIGHUP): "debug"' in (await show())[0]
        vessel.send(signal.SIGHUP)
        await vessel.told("READY=1")
        said, _ = await show()
        assert said.startswith(f"# The daemon of {vessel.datadir} runs with these settings. ")
        assert 'network = "test-show" # flag --network' in said
        assert f"limits.notices = 9 # file {file}" in said
        assert f"drain_ms = 500 # file {file}; after a restart: 600 (file {file})" in said
        assert f'log.level = "debug" # file {file}' in said
        for fresh in (await show("--fresh"), await show("--log-level", "error")):
            assert fresh[0].startswith("# A start with ")
            assert 'network = "main" # default' in fresh[0]
        file.write_text("drain_ms = 'soon'")
        said, err = await show()
        assert "drain_ms = 500" in said
        assert "a restart would fail: The setting `drain_ms`" in err
    finally:
        await vessel.close()
    file.write_text("drain_ms = 600")
    assert "drain_ms = 600" in (await show())[0]
