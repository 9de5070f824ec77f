"""Starts workers: in this tree, in that of another commit with the environment that its lock file names, or in this one
with daemons of another tree."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.harness import Case, Sample
from tests.bench.signing_parts import OTHER_TREE, python_of

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "bench"
LINE_BYTES = 1 << 20
END_S = 60


class CaseFailed(Exception):
    """A case gives no samples; the text says why."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout and the Python of its environment. `is_ours` to write in: it has these benchmarks."""

    path: Path
    python: Path
    is_ours: bool = True


def this_tree() -> Tree:
    """The tree of this program."""
    return Tree(ROOT, Path(sys.executable))


def tree_of(other: str) -> Tree:
    """The tree in that directory, with an environment in its .venv; or that commit's. Raises CaseFailed."""
    path = Path(other).resolve()
    if not path.is_dir():
        return tree_of_commit(other)
    if not python_of(path).exists():
        raise CaseFailed(f"{path} has no environment: make env there")
    return Tree(path, python_of(path), is_ours=False)


def tree_of_commit(commit: str) -> Tree:
    """A worktree of another commit under build/bench, with its own environment and these benchmarks.

    The environment is made as `make env` makes it, first from what uv has on this machine. Raises CaseFailed.
    """
    name = _git("rev-parse", "--short=12", f"{commit}^{{commit}}")
    path = BUILT / name
    if not path.exists():
        _git("worktree", "prune")
        _git("worktree", "add", "--quiet", "--force", "--detach", str(path), name)
    shutil.rmtree(path / "tests" / "bench", ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "bench", path / "tests" / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    _make_environment(path)
    return Tree(path, python_of(path))


def _make_environment(path: Path) -> None:
    said = ""
    for offline in ({"UV_OFFLINE": "1"}, {}):
        command = ["sh", str(path / ".ci" / "environment"), "dev"]
        done = subprocess.run(command, env={**os.environ, **offline}, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = done.stderr.strip()
    raise CaseFailed(
        f"the environment of {path.name} cannot be made: {said[-500:]}\n"
        "Make one that works in a tree of that commit, and name the directory: --against DIRECTORY"
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CaseFailed(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def commit_of_this_tree() -> str:
    """Its short id, `+` if files differ from it; `unknown` outside git."""
    try:
        return _git("rev-parse", "--short=12", "HEAD") + ("+" if _git("status", "--porcelain", "-uno") else "")
    except (CaseFailed, OSError):
        return "unknown"


class Worker:
    """One process that takes samples."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hear(self) -> dict[str, Any]:
        """Its next line. Raises CaseFailed with what it says when it ends."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        said: dict[str, Any] = json.loads(line) if line else {"failed": f"exit code {await self._process.wait()}"}
        if "failed" in said:
            raise CaseFailed(said["failed"])
        return said

    async def sample(self) -> Sample:
        """The next sample."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"sample\n")
        sample: Sample = (await self.hear())["sample"]
        return sample


@asynccontextmanager
async def worker(case: Case, tree: Tree, folder: Path, *, small: bool) -> AsyncIterator[Worker]:
    """A worker that has opened the case. Raises CaseFailed."""
    if not tree.is_ours and not case.outside:
        raise CaseFailed(f"left out: it is measured from within, and {tree.path} is only driven from outside")
    runs = tree if tree.is_ours else this_tree()
    words = [str(runs.python), "-m", "tests.bench.worker", case.name, str(folder), *(["--small"] if small else [])]
    pipe = asyncio.subprocess.PIPE
    paths = os.pathsep.join([str(runs.path), str(runs.path / "clients" / "python")])
    process = await asyncio.create_subprocess_exec(
        *(alone(words) if case.alone else words),
        cwd=runs.path,
        env={**os.environ, "PYTHONPATH": paths} | ({} if tree.is_ours else {OTHER_TREE: str(tree.path)}),
        stdin=pipe,
        stdout=pipe,
        limit=LINE_BYTES,
    )
    try:
        one = Worker(process)
        await one.hear()
        yield one
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def alone(words: list[str]) -> list[str]:
    """The command that runs in a network namespace of its own; no path is part of what the shell reads."""
    lacking = [tool for tool in ("ip", "unshare") if shutil.which(tool) is None]
    if os.geteuid() != 0 or lacking:
        raise CaseFailed("left out: a network namespace of its own needs root, ip (iproute2) and unshare (util-linux)")
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *words]
