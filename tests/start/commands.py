"""Runs the commands of a daemon and its client in one environment, and reports how each ended."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEADLINE_S = 240
QUIET = {
    "MUSIGD_P2P__MDNS": "false",
    "MUSIGD_RPC__LISTEN": "127.0.0.1:0",
    "MUSIGD_P2P__LISTEN": "/ip4/127.0.0.1/tcp/0",
    "MUSIGD_DRAIN_MS": "100",
}


@dataclass(frozen=True)
class Environment:
    """`script`: what /bin/sh does around the command, which is "$@"; `{root}` stands for a directory of its own.

    `datadir` is the name of the data directory inside that one; `flags` and `variables` come after the usual ones, and
    a variable that is None is taken away. `toml`: the content of musigd.toml. `reader_gone`: of standard output.
    """

    script: str = 'exec "$@"'
    variables: Mapping[str, str | bytes | None] = field(default_factory=dict)
    datadir: bytes | None = b"data"
    flags: Sequence[str | bytes] = ()
    toml: bytes | None = None
    reader_gone: bool = False

    def prepare(self, root: Path) -> None:
        """Make the files that must exist before the first command."""
        if self.toml is not None and self.datadir is not None:
            datadir = Path(os.fsdecode(os.fsencode(root) + b"/" + self.datadir))
            datadir.mkdir(mode=0o700)
            (datadir / "musigd.toml").write_bytes(self.toml)


@dataclass(frozen=True)
class Ended:
    """How a command ended; `run` that became ready has its code after SIGTERM, and what `getInfo` said meanwhile."""

    code: int
    out: str
    err: str
    ready: bool = False


async def run_in(environment: Environment, root: Path, *command: str) -> Ended:
    """One command of musigd or musig-cli, from start to end."""
    process = await _spawn(environment, root, command)
    async with asyncio.timeout(DEADLINE_S):
        return _ended(process, await process.communicate())


async def daemon_in(environment: Environment, root: Path) -> tuple[Ended, Ended]:
    """`musigd run` until it is ready or has ended, `musig-cli getInfo` then, and the daemon's end after SIGTERM."""
    async with asyncio.timeout(DEADLINE_S), daemon_process(environment, root) as (process, states):
        reading = asyncio.ensure_future(process.communicate())
        ready = await until_ready(states, reading)
        info = await run_in(environment, root, "musig-cli", "getInfo")
        if ready:
            process.send_signal(signal.SIGTERM)
        return _ended(process, await reading, ready=ready), info


@asynccontextmanager
async def daemon_process(
    environment: Environment, root: Path, stderr: int = asyncio.subprocess.PIPE
) -> AsyncIterator[tuple[asyncio.subprocess.Process, socket.socket]]:
    """`musigd run`, and the socket to which it tells its states as to systemd; ended when the block is left."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as states:
        states.setblocking(False)
        states.bind(name := f"\0musigd-start-{secrets.token_hex(8)}")
        told = {"NOTIFY_SOCKET": f"@{name[1:]}"}
        process = await _spawn(environment, root, ("musigd", "run"), told, stderr)
        try:
            yield process, states
        finally:
            if process.returncode is None:
                process.kill()


async def until_ready(states: socket.socket, ended: asyncio.Future[Any]) -> bool:
    """Wait until the daemon says that it is ready; False when it has ended instead."""
    loop = asyncio.get_running_loop()
    while not ended.done():
        told = asyncio.ensure_future(loop.sock_recv(states, 4096))
        await asyncio.wait({told, ended}, return_when=asyncio.FIRST_COMPLETED)
        if told.done() and b"READY=1" in told.result():
            return True
        told.cancel()
    return False


def _ended(
    process: asyncio.subprocess.Process, said: tuple[bytes | None, bytes | None], *, ready: bool = False
) -> Ended:
    out, err = ((content or b"").decode("utf-8", "replace") for content in said)
    return Ended(process.returncode or 0, out, err, ready)


async def _spawn(
    environment: Environment,
    root: Path,
    command: Sequence[str],
    further: Mapping[str, str] | None = None,
    stderr: int = asyncio.subprocess.PIPE,
) -> asyncio.subprocess.Process:
    program, *words = command
    module = {"musigd": "daemon.main", "musig-cli": "rpc.cli"}[program]
    datadir: list[str | bytes] = (
        [] if environment.datadir is None else ["--datadir", os.fsencode(root) + b"/" + environment.datadir]
    )
    flags: Sequence[str | bytes] = environment.flags if program == "musigd" else ()
    script = environment.script.replace("{root}", str(root))
    with _closed_pipe() as no_reader:
        return await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", script, "sh", sys.executable, "-P", "-m", module, *words, *datadir, *flags),
            env=_variables(environment, further or {}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=no_reader if environment.reader_gone else asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=root,
        )


@contextmanager
def _closed_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def _variables(environment: Environment, further: Mapping[str, str]) -> dict[str, str | bytes]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MUSIG", "PYTHON", "LC_", "XDG_"))
    }
    wanted = {**kept, **QUIET, **environment.variables, **further}
    return {name: value for name, value in wanted.items() if value is not None}
