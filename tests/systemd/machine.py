"""A container in which a real systemd boots, with this repository's checkout in /src; nothing of it is left at the end.

Its root is a Debian tree from the cache, seen through an overlay: every machine begins as the tree is.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.debian import network, trees

TOOLS = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv")
BOOT_SECONDS = 60
COMMAND_SECONDS = 300
BOOT = """
mountpoint -q /run/systemd/machines || mount -t tmpfs tmpfs /run/systemd
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
exec systemd-nspawn -q -D "$2/root" --boot --console=pipe --register=no --keep-unit --private-network \
    "--machine=musigd-test-$$" "--bind=$3:/root/.cache/pip"
"""


class Machine:
    """Enter the block to boot it. `run` and `write` work from then on."""

    def __init__(self, workspace: Path) -> None:
        """`workspace`: an empty directory for what the machine writes. Raises trees.Lacking."""
        trees.require(TOOLS)
        self._tree = trees.tree(PACKAGES)
        self._workspace = workspace
        self._systemd = 0

    def __enter__(self) -> Self:
        for name in ("upper", "work", "root"):
            (self._workspace / name).mkdir()
        trees.checkout(self._workspace / "upper/src")
        (self._workspace / "upper/etc").mkdir()
        network.lend(self._workspace / "upper")
        wheels = trees.cache() / "pip"
        wheels.mkdir(exist_ok=True)
        command = ["unshare", "--mount", "sh", "-euc", BOOT, "boot", *map(str, (self._tree, self._workspace, wheels))]
        self._console = (self._workspace / "console").open("wb")
        self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._console, stderr=self._console)
        try:
            self._wait_for_boot()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def path(self, inside: str) -> Path:
        """A path of the machine, as this process reaches it."""
        return Path(f"/proc/{self._systemd}/root") / inside.lstrip("/")

    def write(self, inside: str, text: str) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def inside(self, *command: str, online: bool = False) -> list[str]:
        """The command as this machine runs it. `online`: with the network of the host, for package indexes."""
        namespaces = ["-m", "-u", "-i", "-p"] + ([] if online else ["-n"])
        clean = [
            "env",
            "-i",
            "-C",
            "/src",
            "HOME=/root",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return ["nsenter", "-t", str(self._systemd), *namespaces, *clean, *command]

    def attempt(self, *command: str, online: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its exit code."""
        whole = self.inside(*command, online=online)
        return subprocess.run(whole, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)

    def run(self, *command: str, online: bool = False) -> str:
        """Run a command that must succeed; returns what it printed."""
        done = self.attempt(*command, online=online)
        assert done.returncode == 0, f"{shlex.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def _wait_for_boot(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline and self._nspawn.poll() is None:
            if self._find_systemd() and self.attempt("systemctl", "is-system-running", "--wait").stdout == "running\n":
                return
            time.sleep(0.05)  # a systemd that comes up answers nobody yet: there is nothing to wait on
        said = (self._workspace / "console").read_text(errors="replace")
        raise AssertionError(f"The machine did not boot: {said[-2000:]}")

    def _find_systemd(self) -> bool:
        self._systemd = self._systemd or next(
            (pid for pid in _children(self._nspawn.pid) if _command(pid) == "systemd"), 0
        )
        return bool(self._systemd)

    def _end(self) -> None:
        if self._systemd:
            self.attempt("systemctl", "--force", "--force", "poweroff")
        try:
            self._nspawn.wait(timeout=20)
        except subprocess.TimeoutExpired:
            for process in (self._systemd, self._nspawn.pid):
                os.kill(process, signal.SIGKILL)
            self._nspawn.wait()
        self._console.close()


def _children(pid: int) -> Sequence[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
