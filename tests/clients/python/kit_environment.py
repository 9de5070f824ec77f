"""The published file of the kit, and an environment that has nothing but it and what the lock says it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.locks import PROJECT, locked

SOURCE = PROJECT / "clients" / "python"
DECOYS = ("config.py", "rpc.py", "daemon.py", "p2p/__init__.py", "musig2/__init__.py")


def build_wheel(folder: Path) -> Path:
    """The wheel, built from a copy of the sources, with setuptools as it is installed: no network."""
    copy = folder / "sources"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    program = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, folder], cwd=copy, check=True, capture_output=True)
    (wheel,) = folder.glob("musigd_client-*.whl")
    return wheel


def needs(name: str) -> set[str]:
    """Canonical names of the distributions that one needs on this Python, itself included; all are locked."""
    pins, found, waiting = locked("requirements.lock"), set[str](), [name]
    while waiting:
        one = canonicalize_name(waiting.pop())
        if one not in found:
            assert distribution(one).version == pins[one].version
            found.add(one)
            required = map(Requirement, distribution(one).requires or ())
            waiting += [each.name for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


class Environment:
    """A virtual environment of its own, and a directory with a wallet's modules that have the names of the daemon's."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder / "env", symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        (self.packages,) = (folder / "env" / "lib").glob("python*/site-packages")
        for name in needs("aiohttp"):
            self._copy(name)
        with zipfile.ZipFile(wheel) as archive:  # what an installer does with a wheel that is Python alone
            archive.extractall(self.packages)
        self.home = folder / "wallet"
        for decoy in DECOYS:
            (self.home / decoy).parent.mkdir(parents=True, exist_ok=True)
            (self.home / decoy).write_text("raise SystemExit('the module of the wallet was loaded')\n")

    def _copy(self, name: str) -> None:
        of = distribution(name)
        for file in of.files or ():
            if ".." not in file.parts:
                (self.packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(str(of.locate_file(file))), self.packages / file)

    def command(self, *arguments: str | Path) -> tuple[list[str], dict[str, str]]:
        """How its Python is started in the wallet's directory, and what it sees of the machine."""
        return [str(self.python), *map(str, arguments)], {"PATH": os.environ["PATH"], "HOME": str(self.home)}

    def run(self, *arguments: str | Path) -> str:
        """The output of its Python; fails with what it complains of."""
        command, environment = self.command(*arguments)
        done = subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
