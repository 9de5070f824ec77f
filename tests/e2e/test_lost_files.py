"""Files of a running daemon that are removed or replaced are reported, and the remedies work."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from config.load import load_settings
from daemon.upkeep.backup import BackupError, back_up_datadir
from daemon.upkeep.doctor import examine
from musigd_client import CallFailed, Client
from musigd_client.endpoint import DataDir
from tests.e2e.vessels import Vessel
from tests.p2p.nodes import eventually

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

DATABASE = "musigd.sqlite3"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vessel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vessel]:
    """One daemon for all; each test leaves it ready."""
    made = Vessel(tmp_path_factory.mktemp("lost files"), "Alice", "test-lost-files")
    try:
        await made.start()
        yield made
    finally:
        await made.close()


async def problems(vessel: Vessel) -> dict[str, str]:
    """Reason and remedy, as `getInfo` says them through the unix socket."""
    async with Client(DataDir(vessel.datadir, by_socket=True)) as client:
        return {problem["reason"]: problem["remedy"] for problem in (await client.call("getInfo"))["problems"]}


async def make_key(vessel: Vessel) -> str:
    async with Client(DataDir(vessel.datadir, by_socket=True)) as client:
        return str((await client.call("createKey", scheme="lotus"))["publicKey"])


async def doctor(vessel: Vessel) -> str:
    """What doctor says: in a thread, as it asks the daemon in a loop of its own."""
    settings = load_settings(flags={"rpc.listen": "127.0.0.1:0"}, file=None)
    return "\n".join(map(str, await asyncio.to_thread(examine, settings, vessel.datadir, {})))


async def logged(vessel: Vessel, words: str) -> None:
    async def said() -> bool:
        return words in vessel.said()

    await eventually(said)


async def test_a_removed_identity_is_reported_and_written_again_on_reload(vessel: Vessel) -> None:
    identity = vessel.datadir / "identity"
    before = identity.read_bytes()
    identity.unlink()
    assert "musigd reload" in (await problems(vessel))["identity_lost"]
    assert "musigd reload" in await doctor(vessel)
    await logged(vessel, "identity_lost")
    vessel.send(signal.SIGHUP)
    await vessel.told("READY=1")
    assert identity.read_bytes() == before
    assert identity.stat().st_mode & 0o777 == 0o600
    assert await problems(vessel) == {}


async def test_a_removed_socket_cookie_and_endpoint_are_made_again(vessel: Vessel) -> None:
    paths = [vessel.datadir / name for name in ("musigd.sock", ".cookie", "endpoint.json")]
    for path in paths:
        path.unlink()

    async def all_there() -> bool:
        return all(path.exists() for path in paths)

    await eventually(all_there)
    assert await problems(vessel) == {}
    async with await Client.connect(datadir=vessel.datadir) as by_cookie:
        assert (await by_cookie.call("getInfo"))["ready"]


async def test_a_replaced_database_is_not_backed_up_in_the_place_of_the_one_that_is_open(vessel: Vessel) -> None:
    path, aside = vessel.datadir / DATABASE, vessel.datadir / "aside"
    path.rename(aside)
    shutil.copy(aside, path)
    with pytest.raises(BackupError, match="the daemon has another database open"):
        back_up_datadir(vessel.datadir, vessel.datadir.parent / "wrong.backup")
    assert not (vessel.datadir.parent / "wrong.backup").exists()
    aside.rename(path)
    back_up_datadir(vessel.datadir, vessel.datadir.parent / "right.backup")
    assert await problems(vessel) == {}


async def test_a_removed_lock_stops_all_changes(vessel: Vessel) -> None:
    lock, aside = vessel.datadir / "lock", vessel.datadir / "aside"
    lock.rename(aside)
    with pytest.raises(CallFailed) as refused:
        await make_key(vessel)
    assert refused.value.reason == "lock_gone"
    assert f"kill {vessel.process.pid}" in (await problems(vessel))["lock_gone"] if vessel.process else False
    aside.rename(lock)
    await make_key(vessel)


async def test_a_removed_database_is_saved_from_the_running_daemon_as_its_problem_says(vessel: Vessel) -> None:
    pubkey = await make_key(vessel)
    path = vessel.datadir / DATABASE
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        (vessel.datadir / name).unlink()
    with pytest.raises(CallFailed) as refused:
        await make_key(vessel)
    assert refused.value.reason == "database_gone"
    assert "Do not stop the daemon" in (await problems(vessel))["database_gone"]
    assert "Do not stop the daemon" in await doctor(vessel)
    with pytest.raises(BackupError, match="Do not stop the daemon"):
        back_up_datadir(vessel.datadir, vessel.datadir.parent / "none.backup")
    await logged(vessel, "database_gone")

    saved = save_from_memory(vessel)
    vessel.send(signal.SIGTERM)
    await vessel.ended()
    for name, copy in saved.items():
        copy.rename(vessel.datadir / name)
    with sqlite3.connect(path) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await vessel.start()
    assert await problems(vessel) == {}
    async with Client(DataDir(vessel.datadir, by_socket=True)) as client:
        keys = (await client.call("listKeys"))["keys"]
    assert pubkey in {key["publicKey"] for key in keys}


def save_from_memory(vessel: Vessel) -> dict[str, Path]:
    """Database and write-ahead log, copied from the descriptors that the daemon has open; by their names."""
    assert vessel.process is not None
    saved = {}
    for entry in Path(f"/proc/{vessel.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a descriptor that was closed meanwhile, and none of these
            name = entry.readlink().name.removesuffix(" (deleted)")
            if name in {DATABASE, f"{DATABASE}-wal"}:
                saved[name] = vessel.datadir.parent / f"saved {name}"
                shutil.copyfile(entry, saved[name])
    assert set(saved) == {DATABASE, f"{DATABASE}-wal"}
    return saved
