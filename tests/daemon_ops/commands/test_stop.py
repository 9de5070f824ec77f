"""`musigd stop` reaches the daemon of that data directory, and never a process that merely has a number in common."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from daemon.demo.processes import Daemons, DemoDaemon
from daemon.host.datadir import holder_of
from daemon.host.lock_proof import proven_holder
from daemon.host.stop import NotStopped, stop_daemon

pytestmark = pytest.mark.network

CLAIM = "from daemon.host.datadir import Datadir; Datadir.claim(Path(sys.argv[1]))"
# A lock whose holder the kernel does not name, as on a network file system.
FLOCK_ONLY = "lock = open(Path(sys.argv[1], 'lock'), 'r+'); fcntl.flock(lock, fcntl.LOCK_EX)"
SLEEP = "pass"


@asynccontextmanager
async def process(script: str, *arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process that has run the script, and waits for its end."""
    code = f"import fcntl, signal, sys\nfrom pathlib import Path\n{script}\nprint('ready', flush=True)\nsignal.pause()"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        assert await started.stdout.readline() == b"ready\n"
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


def name_in_lock(datadir: Path, pid: int) -> None:
    """Let the lock name another process, as the lock of a container does."""
    content = (datadir / "lock").read_text()
    (datadir / "lock").write_text(re.sub(r"^\d+ *", f"{pid:<10}", content))


async def stopped(datadir: Path, within_s: float = 20) -> bool:
    return await asyncio.to_thread(stop_daemon, datadir, {}, within_s)


@pytest_asyncio.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[DemoDaemon]:
    daemons = Daemons(tmp_path, "test-stop")
    try:
        yield await daemons.start("alice", ())
    finally:
        await daemons.stop()


async def run(*words: str) -> tuple[int, str]:
    """Exit code and output of a command of the daemon's or of the client's."""
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await ran.communicate()
    return ran.returncode or 0, output.decode()


async def test_a_daemon_whose_process_id_is_that_of_another_here_is_found_and_stopped(daemon: DemoDaemon) -> None:
    async with process(SLEEP) as bystander:
        name_in_lock(daemon.datadir, bystander.pid)
        endpoint = {**daemon.endpoint, "pid": bystander.pid, "socket": "/of/another/container.sock"}
        (daemon.datadir / "endpoint.json").write_bytes(orjson.dumps(endpoint))
        place = ("--datadir", str(daemon.datadir))

        for options in ((), ("--socket",)):
            code, said = await run("rpc.cli", *place, *options, "getInfo")
            assert (code, orjson.loads(said)["ready"]) == (0, True)
        code, said = await run("daemon.main", "stop", *place)

        assert (code, said) == (0, f"Stopped the daemon of {daemon.datadir}.\n")
        assert await daemon.process.wait() == 0
        assert bystander.returncode is None
        assert await run("daemon.main", "stop", *place) == (0, f"No daemon uses {daemon.datadir}.\n")


@pytest.mark.parametrize("sockets", [[], ["musigd.sock"]], ids=["no socket", "a socket nobody listens at"])
async def test_a_daemon_that_does_not_answer_is_signalled_if_the_kernel_names_its_process(
    tmp_path: Path, sockets: Sequence[str]
) -> None:
    async with process(CLAIM, tmp_path / "a") as holder, process(SLEEP) as bystander:
        for name in sockets:
            (tmp_path / "a" / name).touch()
        name_in_lock(tmp_path / "a", bystander.pid)
        assert proven_holder(tmp_path / "a") == holder.pid

        assert await stopped(tmp_path / "a")

        assert await holder.wait() == -signal.SIGTERM
        assert bystander.returncode is None


async def test_no_process_is_signalled_if_the_kernel_names_none(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("0          0123456789abcdef\n")
    async with process(FLOCK_ONLY, tmp_path) as holder, process(SLEEP) as bystander:
        name_in_lock(tmp_path, bystander.pid)

        with pytest.raises(NotStopped, match="in its container or as its user"):
            await stopped(tmp_path)

        assert (holder.returncode, bystander.returncode) == (None, None)


async def test_with_the_socket_of_another_daemon_neither_is_stopped(daemon: DemoDaemon, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir(mode=0o700)
    (tmp_path / "b" / "lock").write_text("0          0123456789abcdef\n")
    async with process(FLOCK_ONLY, tmp_path / "b"):
        (tmp_path / "b" / "endpoint.json").write_bytes(orjson.dumps(daemon.endpoint))

        with pytest.raises(NotStopped):
            await stopped(tmp_path / "b")

        assert holder_of(daemon.datadir) is not None
        assert daemon.process.returncode is None


async def test_a_daemon_that_does_not_stop_is_reported(tmp_path: Path) -> None:
    deaf = f"{CLAIM}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)"
    async with process(deaf, tmp_path / "a") as holder:
        with pytest.raises(NotStopped, match="has not ended after 0 s: look at its log"):
            await stopped(tmp_path / "a", 0.1)
        assert holder.returncode is None
