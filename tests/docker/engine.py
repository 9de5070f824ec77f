"""A container engine with a socket and data of its own, which stay in the cache to keep the layers.

The image is built in the network of this machine, which reaches the package index. Containers run in a network
namespace: the engine is started anew in one, so that its bridges and rules touch nothing here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.debian import trees

TOOLS = {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables", "debootstrap": "debootstrap"}
START_SECONDS = 60
FOLLOW_SECONDS = 60
COMMAND_SECONDS = 900
OWN_MOUNTS = ("unshare", "--mount")  # some of the engine's stay behind otherwise
OWN_NETWORK = ("unshare", "--net", "sh", "-euc", 'ip link set lo up; exec "$@"', "engine")
SHARED_NETWORK = ("--bridge=none", "--iptables=false")


class Engine:
    """Talks to the engine that `running` has started."""

    def __init__(self, socket: Path) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "COMPOSE_"))},
            "DOCKER_HOST": f"unix://{socket}",
            "DOCKER_BUILDKIT": "0",
        }

    def attempt(self, *arguments: str | Path, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One command of `docker`, whatever its exit code."""
        return self._run(["docker", *map(str, arguments)], {}, stdin)

    def run(self, *arguments: str | Path, stdin: Path | None = None) -> str:
        """One command of `docker` that must succeed; returns what it printed."""
        return _checked(self.attempt(*arguments, stdin=stdin))

    def compose(self, *arguments: str, **variables: str) -> str:
        """One command of compose for the project of this repository, with these variables."""
        command = _compose_command()
        assert command is not None
        return _checked(self._run([*command, "--project-directory", str(trees.REPOSITORY), *arguments], variables))

    def until(self, text: str, *arguments: str) -> bool:
        """Follow a command of `docker` such as `events` until it prints this, if it does within a minute."""
        command = ["docker", *arguments]
        with subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as following:
            assert following.stdout is not None
            patience = threading.Timer(FOLLOW_SECONDS, following.kill)
            patience.start()
            try:
                return any(text in line for line in following.stdout)
            finally:
                patience.cancel()
                following.kill()

    def _run(
        self, command: list[str], variables: Mapping[str, str], stdin: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        with (stdin or Path(os.devnull)).open("rb") as given:
            return subprocess.run(
                command,
                env={**self._environment, **variables},
                stdin=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=COMMAND_SECONDS,
            )


@contextmanager
def running(workspace: Path, *, own_network: bool) -> Iterator[Engine]:
    """An engine with the cached data, ended with the block. Raises trees.Lacking."""
    trees.require(TOOLS)
    if _compose_command() is None:
        raise trees.Lacking("Compose not found. On Debian: apt-get install docker-compose")
    socket = workspace / "engine.sock"
    places = (
        "--data-root",
        trees.cache() / "docker",
        "--exec-root",
        workspace / "exec",
        "--pidfile",
        workspace / "pid",
    )
    daemon = ["dockerd", *places, "--host", f"unix://{socket}"]
    command = [
        str(each)
        for each in ([*OWN_MOUNTS, *OWN_NETWORK, *daemon] if own_network else [*OWN_MOUNTS, *daemon, *SHARED_NETWORK])
    ]
    with (workspace / "engine.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    engine = Engine(socket)
    try:
        _wait(process, engine, workspace / "engine.log")
        yield engine
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(process: subprocess.Popen[bytes], engine: Engine, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while engine.attempt("info").returncode != 0:
        lost = process.poll() is not None or time.monotonic() > deadline
        assert not lost, f"dockerd: {log.read_text()[-2000:]}"
        time.sleep(0.1)  # its socket is not there yet: there is nothing to wait on


def _compose_command() -> list[str] | None:
    plugin = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def _checked(done: subprocess.CompletedProcess[str]) -> str:
    said = f"{' '.join(map(str, done.args))} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}"
    assert done.returncode == 0, said
    return done.stdout
