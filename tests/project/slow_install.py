"""Installs musigd as README says, without a compiler, in a fresh clone in a directory with a space in its name.

    make test-install                         every way: pip, uv where it is on the PATH, `pip install .`, pipx
    make test-install ARGS="--pip newest"     with the pip that was published last, instead of the Python's own
    make test-install ARGS="--only demo"      one of: demo, index, install

Needs the package index. Prints seconds, processor seconds and megabytes of each step; the first that fails ends it.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.project import fake_index
from tests.project.locks import PROJECT, Pin, locked

COMPILERS = ("cc", "gcc", "c++", "g++", "clang", "cargo", "rustc")
NEVER_RELEASED = "9999.0"


@dataclass(frozen=True)
class Place:
    """A directory with a clone in it, and what the programs there see of the machine."""

    root: Path
    python: str
    way: str  # "pip" or "uv"

    @property
    def clone(self) -> Path:
        return self.root / "a clone"

    def run(self, title: str, *command: str | Path, cwd: Path | None = None, **more: str) -> str:
        """Run it in the clone and print what it cost; SystemExit with its output if it fails."""
        began, cpu = time.monotonic(), _processor_seconds()
        words = [str(word) for word in command]
        environment = {**os.environ, **self.environment(), **more}
        done = subprocess.run(
            words, cwd=cwd or self.clone, env=environment, capture_output=True, text=True, check=False
        )
        spent = f"{time.monotonic() - began:6.1f} s  {_processor_seconds() - cpu:6.1f} s of processor"
        print(f"{self.way:4} {title:46} {spent}  {megabytes(self.root)} MB", flush=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Compilers that fail, an empty cache, and uv only where it is the way."""
        programs = self.root / "programs"
        programs.mkdir(exist_ok=True)
        for compiler in COMPILERS:
            (programs / compiler).write_text("#!/bin/sh\necho 'there is no compiler here' >&2\nexit 1\n")
            (programs / compiler).chmod(0o755)
        paths = [path for path in os.environ["PATH"].split(os.pathsep) if ".venv" not in path]
        if self.way != "uv":
            paths = [path for path in paths if not Path(path, "uv").exists()]
        caches = {"PIP_CACHE_DIR": str(self.root / "cache/pip"), "UV_CACHE_DIR": str(self.root / "cache/uv")}
        return {"PATH": os.pathsep.join([str(programs), *paths]), "CC": "false", "PYTHON": self.python, **caches}


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def megabytes(root: Path) -> int:
    """What the virtual environments of a place take on the disk."""
    folders = [folder for folder in (root / "a clone/.venv", root / "own") if folder.exists()]
    sizes = (file.lstat().st_blocks * 512 for folder in folders for file in folder.rglob("*"))
    return round(sum(sizes) / 2**20)


def demo(place: Place) -> None:
    """The first command of README, twice; then what `make test` adds, twice, with one fast test."""
    for title in ("make demo, fresh", "make demo, again"):
        assert "signature(s) verified" in place.run(title, "make", "demo")
    for title in ("make test, its tools (one test)", "make test, again (one test)"):
        place.run(title, "make", "test", "ARGS=-n 0 tests/project/test_spaces.py")
    assert fake_index.installed(place.clone / ".venv").keys() >= {"mypy", "musigd"}


def index(place: Place) -> None:
    """Every package also exists in a higher version, or only the locked ones exist: the same set is installed."""
    folder = place.root / "index"
    sources = place.root / "files"
    pip: list[str | Path] = [
        place.python,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--dest",
        sources,
    ]
    place.run("the locked files are fetched", *pip, "-r", "requirements-dev.lock")
    pins = {name: pin for name, pin in locked("requirements-dev.lock").items() if here(pin)}
    for name in pins:
        (folder / name).mkdir(parents=True)
        for file in sources.iterdir():
            if file.name.lower().replace("_", "-").replace(".", "-").startswith(f"{name}-{pins[name].version[0]}"):
                shutil.copy(file, folder / name)
    found = []
    for title in ("make env, only the locked versions", "make env, with higher versions of all"):
        fake_index.listed(folder)
        shutil.rmtree(place.clone / ".venv", ignore_errors=True)
        source = {"PIP_INDEX_URL": folder.as_uri(), "UV_DEFAULT_INDEX": folder.as_uri(), "PIP_CONFIG_FILE": os.devnull}
        place.run(title, "make", "env", cwd=None, **source, PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
        found.append(
            {_canonical(n): v for n, v in fake_index.installed(place.clone / ".venv").items() if n != "musigd"}
        )
        for name in pins:
            fake_index.wheel(folder / name, name, NEVER_RELEASED)
    assert found[0] == found[1] == {name: pin.version for name, pin in pins.items()}, found


def install(place: Place) -> None:
    """`pip install .` and `pipx install .` take the versions of the lock, and what they install makes a signature."""
    own = place.root / "own"
    if place.way == "uv":
        place.run("uv venv", "uv", "venv", "--quiet", "--python", place.python, own)
        place.run("uv pip install .", "uv", "pip", "install", "--quiet", "--python", own / "bin/python", ".")
    else:
        place.run("a virtual environment with its own pip", place.python, "-m", "venv", own)
        place.run("pip install .", own / "bin/python", "-m", "pip", "install", "--quiet", ".")
    pins = {name: pin.version for name, pin in locked("requirements.lock").items() if here(pin)}
    has = {_canonical(name): version.partition("+")[0] for name, version in fake_index.installed(own).items()}
    assert {name: version for name, version in has.items() if name not in {"musigd", "setuptools"}} == pins, has
    place.run("musigd demo, as installed", own / "bin/musigd", "demo", cwd=place.root)
    if place.way == "pip" and shutil.which("pipx"):
        homes = {"PIPX_HOME": str(place.root / "pipx"), "PIPX_BIN_DIR": str(place.root / "bin")}
        place.run("pipx install .", "pipx", "install", "--quiet", "--python", place.python, ".", cwd=None, **homes)
        place.run("musigd demo, as installed by pipx", place.root / "bin/musigd", "demo", cwd=place.root)


def here(pin: Pin) -> bool:
    """Whether it is installed on this machine."""
    return pin.marker is None or pin.marker.evaluate()


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


PARTS = {"demo": demo, "index": index, "install": install}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--python", default=getattr(sys, "_base_executable", sys.executable), help="what .venv is made with"
    )
    parser.add_argument("--pip", choices=["own", "newest"], default="own")
    parser.add_argument("--only", choices=[*PARTS])
    asked = parser.parse_args()
    for way in ["pip", *(["uv"] if shutil.which("uv") else [])]:
        for part in [asked.only] if asked.only else PARTS:
            with tempfile.TemporaryDirectory(prefix="musigd install ") as directory:
                place = Place(Path(directory), asked.python, way)
                subprocess.run(["git", "clone", "--quiet", PROJECT, place.clone], check=True)
                if asked.pip == "newest":
                    place = newest_pip(place)
                PARTS[part](place)


def newest_pip(place: Place) -> Place:
    """The same place with a Python whose pip is the one published last."""
    base = place.root / "base"
    place.run("a Python with the newest pip", place.python, "-m", "venv", base)
    place.run("", base / "bin/python", "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    return Place(place.root, str(base / "bin/python"), place.way)


if __name__ == "__main__":
    main()
