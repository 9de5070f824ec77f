"""Minimal Debian trees, made once with debootstrap and kept in `$XDG_CACHE_HOME/musigd-tests` (else ~/.cache)."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
REPOSITORY = Path(__file__).parents[2]
FETCHED = ("var/cache/apt", "var/lib/apt/lists")  # 90 MB that nobody needs after the installation


class Lacking(Exception):
    """This machine cannot run the tests; the sentence says what to install."""


def require(tools: Mapping[str, str]) -> None:
    """Root, and these commands; the values are Debian's packages that hold them. Raises Lacking."""
    missing = [command for command in tools if shutil.which(command) is None]
    if missing:
        packages = sorted({tools[command] for command in missing})
        raise Lacking(f"{', '.join(missing)} not found. On Debian: apt-get install {' '.join(packages)}")
    if os.geteuid() != 0:
        raise Lacking("It needs root: it makes mounts, namespaces and a Debian tree.")


def cache() -> Path:
    """Where trees and downloads stay between runs."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    path = (Path(home) if home.startswith("/") else Path.home() / ".cache") / "musigd-tests"
    path.mkdir(parents=True, exist_ok=True)
    return path


def tree(packages: Collection[str]) -> Path:
    """The minimal Debian that has these packages; do not write into it. The first call takes one to two minutes."""
    path = cache() / "-".join([SUITE, *sorted(packages)])
    with _alone(path.with_suffix(".lock")):
        if not path.exists():
            partial = path.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            included = f"--include={','.join(packages)}"
            print(f"Making a Debian tree with {', '.join(packages)} (one to two minutes, once) ...", flush=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase", included, SUITE, partial], check=True, capture_output=True
            )
            for fetched in FETCHED:
                shutil.rmtree(partial / fetched)
            (partial / FETCHED[0] / "archives/partial").mkdir(parents=True)
            (partial / FETCHED[1] / "partial").mkdir(parents=True)
            partial.rename(path)
    return path


def checkout(to: Path) -> Path:
    """A copy of the repository as it is now, without what git ignores."""
    listed = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0"):
        source = REPOSITORY / name
        if name and source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / name)
    return to


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
