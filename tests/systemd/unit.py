"""The unit in the machine: its settings, its states, its journal, its clients."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.debian import api
from tests.systemd.machine import Machine

NAME = "musigd.service"
STATE = "/var/lib/musigd"
DROP_IN = f"/run/systemd/system/{NAME}.d/test.conf"
ENVIRONMENT = "/etc/musigd/environment"
FAULTS = "/opt/faults"
WAIT_SECONDS = 60


class Journal:
    """Follows what the unit and systemd say of it, from the making of this object on."""

    def __init__(self, machine: Machine) -> None:
        after = machine.run("journalctl", "-n", "0", "--show-cursor", "-q").strip().removeprefix("-- cursor: ")
        follow = [
            "journalctl",
            "-f",
            "-o",
            "cat",
            "--after-cursor",
            after,
            f"_SYSTEMD_UNIT={NAME}",
            "+",
            f"UNIT={NAME}",
        ]
        self._process = subprocess.Popen(machine.inside(*follow), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._seen = b""
        self._used = 0

    def until(self, text: str) -> str:
        """Wait until a line with `text` comes, after the one that was waited for last; returns it."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            line, end, _ = self._seen[self._used :].partition(b"\n")
            if end:
                self._used += len(line) + 1
                if text in (said := line.decode(errors="replace")):
                    return said
                continue
            left = deadline - time.monotonic()
            more = select.select([self._process.stdout], [], [], max(0, left))[0]
            assert more, f"no {text!r} in the journal within {WAIT_SECONDS} s: {self._seen[-3000:].decode()}"
            self._seen += os.read(self._process.stdout.fileno(), 65_536)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Unit:
    """musigd.service of one test: nothing of it is left when the block ends."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.journal = Journal(machine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.machine.attempt("systemctl", "stop", NAME)
        self.machine.attempt("umount", STATE)
        self.machine.run("rm", "-rf", STATE, DROP_IN, ENVIRONMENT)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.attempt("systemctl", "reset-failed", NAME)
        self.journal.close()

    def drop_in(self, *lines: str) -> None:
        """More lines for the unit's [Service] section."""
        self.machine.write(DROP_IN, "\n".join(["[Service]", *lines, ""]))
        self.machine.run("systemctl", "daemon-reload")

    def environment(self, **variables: str) -> None:
        """Write /etc/musigd/environment."""
        self.machine.write(ENVIRONMENT, "".join(f"{name}={value}\n" for name, value in variables.items()))

    def settings(self, toml: str) -> None:
        """Write musigd.toml in the state directory."""
        self.machine.write(f"{STATE}/musigd.toml", toml)

    def start(self) -> None:
        """Returns when the daemon has said that it is ready."""
        done = self.systemctl("start")
        assert done.returncode == 0, self.machine.attempt("journalctl", "-u", NAME, "-n", "20", "-o", "cat").stdout

    def systemctl(self, verb: str) -> subprocess.CompletedProcess[str]:
        return self.machine.attempt("systemctl", verb, NAME)

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.machine.run("systemctl", "show", "--value", "-p", name, NAME).strip()

    @property
    def socket(self) -> Path:
        return self.machine.path(f"{STATE}/musigd.sock")

    def call(self, method: str, **params: Any) -> Any:
        """One call of the API as root; returns its result."""
        return api.call(self.socket, method, **params)

    def exit_status(self) -> str:
        """How its last process ended: the exit code, or the number of the signal."""
        return self.show("ExecMainStatus")

    def with_faults(self, *lines: str) -> None:
        """Put `faults/` on the daemon's path, and add these lines to its unit. Call it before `start`."""
        source = Path(__file__).parent / "faults/sitecustomize.py"
        self.machine.write(f"{FAULTS}/sitecustomize.py", source.read_text())
        self.environment(PYTHONPATH=FAULTS)
        self.drop_in(*lines)

    def fed(self, times: int) -> None:
        """Wait until the daemon has fed its watchdog so often."""
        seen: set[str] = set()
        deadline = time.monotonic() + WAIT_SECONDS
        while len(seen) <= times:
            assert time.monotonic() < deadline, "the watchdog is not fed"
            seen.add(self.show("WatchdogTimestampMonotonic"))

    def fault(self, what: str) -> None:
        """`stop THREAD` or `end THREAD` in the daemon."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.sendto(what.encode(), str(self.machine.path("/run/musigd/faults")))
