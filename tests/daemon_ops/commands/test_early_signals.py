"""Signals that come before the event loop runs, or after it has ended, do what the documentation says of them.

Each process sends itself the signal at a known point of its life, which an audit hook reports.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeAlias

import pytest

from daemon.host.datadir import Datadir, holder_of
from daemon.store import Store
from daemon.upkeep import datadir_parts

pytestmark = pytest.mark.network

DRIVER = """
import atexit, json, os, sys

moments = json.loads(sys.argv.pop(1))

def hook(event, arguments):
    for moment in moments:
        name, end, times, number = moment
        if name == event and times > 0 and str(arguments[0]).endswith(end):
            moment[2] -= 1
            if moment[2] == 0:
                os.kill(os.getpid(), number)

sys.addaudithook(hook)
atexit.register(sys.audit, "test.end", "")
sys.argv[0] = "musigd"
from daemon.main import main
sys.exit(main())
"""
# An audit event, how its first argument ends, at which time of it, and the signal.
Moment: TypeAlias = tuple[str, str, int, signal.Signals]
LOADING = ("import", "structlog", 1)
LOADED_HALF = ("import", "libp2p", 1)
TAKING = ("open", "/lock", 2)  # the first time, whether another daemon holds it is looked at
OPENING = ("sqlite3.connect", "musigd.sqlite3", 1)
AT_THE_END = ("test.end", "", 1)


@asynccontextmanager
async def musigd(
    moments: Sequence[Moment], *words: object, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MUSIGD_")}
    quiet = {
        "MUSIGD_P2P__MDNS": "false",
        "MUSIGD_P2P__LISTEN": "/ip4/127.0.0.1/tcp/0",
        "MUSIGD_RPC__LISTEN": "127.0.0.1:0",
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DRIVER, json.dumps(moments)),
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean | quiet | environment,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(120):
            yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """The exit code, and all that was said."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode() + err.decode()


async def until(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stderr is not None
    while text not in (line := (await process.stderr.readline()).decode()):
        assert line, f"it ended with {await process.wait()}"


async def test_sighup_at_any_time_of_a_start_reads_the_settings_again_and_kills_nobody(tmp_path: Path) -> None:
    moments = [(*moment, signal.SIGHUP) for moment in (LOADING, LOADED_HALF, TAKING, OPENING)]
    late = [(*AT_THE_END, signal.SIGHUP)]
    async with musigd([*moments, *late], "run", "--datadir", tmp_path / "a", MUSIGD_PORT="tcp://10.0.0.7:1") as daemon:
        await until(daemon, "MUSIGD_PORT")
        await until(daemon, "musigd is ready")
        await until(daemon, "settings read again")
        daemon.send_signal(signal.SIGTERM)
        assert (await ended(daemon))[0] == 0


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (LOADING, signal.SIGTERM),
        (LOADED_HALF, signal.SIGINT),
        (TAKING, signal.SIGTERM),
        (OPENING, signal.SIGTERM),
        (OPENING, signal.SIGINT),
    ],
    ids=["loading", "loading, Ctrl-C", "taking the directory", "opening the database", "opening it, Ctrl-C"],
)
async def test_a_stop_at_any_time_of_a_start_ends_cleanly_and_the_next_start_goes_on(
    tmp_path: Path, moment: tuple[str, str, int], number: signal.Signals
) -> None:
    datadir = tmp_path / "a"
    async with musigd([(*moment, number)], "run", "--datadir", datadir) as daemon:
        code, said = await ended(daemon)
    assert (code, [line for line in said.splitlines() if " [info " not in line]) == (0, [])
    assert not (datadir / "endpoint.json").exists()
    assert holder_of(datadir) is None
    assert datadir_parts.is_first_start(datadir, datadir_parts.look(datadir, None, {}))


async def test_a_signal_after_the_end_does_not_change_the_exit_code(tmp_path: Path) -> None:
    moments = [(*TAKING, signal.SIGTERM), (*AT_THE_END, signal.SIGTERM)]
    async with musigd(moments, "run", "--datadir", tmp_path / "a") as daemon:
        assert (await ended(daemon))[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_demo_that_is_stopped_while_it_loads_ends_as_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with musigd([("import", "daemon.demo.run", 1, number)], "demo", TMPDIR=str(tmp_path)) as demo:
        assert await ended(demo) == (130, "")
    assert list(tmp_path.iterdir()) == []


async def test_two_signals_to_a_demo_leave_no_process_and_no_file(tmp_path: Path) -> None:
    while_it_stops_its_daemons = ("os.kill", "", 1, signal.SIGINT)
    async with musigd([while_it_stops_its_daemons], "demo", "--signers", "2", TMPDIR=str(tmp_path)) as demo:
        assert demo.stdout is not None
        pids: list[int] = []
        while len(pids) < 2:
            line = (await demo.stdout.readline()).decode()
            pids += [int(word.split(",")[0]) for word in line.partition(" pid ")[2].split()[:1]]
        demo.send_signal(signal.SIGHUP)
        assert (await ended(demo))[0] == 130
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_backup_that_is_stopped_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    datadir, target = tmp_path / "a", tmp_path / "backups" / "backup.tar"
    target.parent.mkdir()
    Datadir.claim(datadir).close()
    await Store.open(datadir / "musigd.sqlite3").close()
    moment = ("open", "/backup.tar", 2, number)  # the name is taken first, then the archive is written beside it
    async with musigd([moment], "backup", target, "--datadir", datadir) as backup:
        assert await ended(backup) == (128 + number, "")
    assert list(target.parent.iterdir()) == []


async def test_an_interrupted_stop_prints_no_traceback(tmp_path: Path) -> None:
    with closing(Datadir.claim(tmp_path / "a")):
        async with musigd([("open", "/lock", 2, signal.SIGINT)], "stop", "--datadir", tmp_path / "a") as stop:
            assert await ended(stop) == (130, "")
