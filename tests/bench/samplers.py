"""Starts workers: in this tree, or in that of another commit with the environment that its lock file names."""

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

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "bench"
LINE_BYTES = 1 << 20
END_S = 60


class CaseFailed(Exception):
    """A case gives no samples; the text says why."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout and the Python of its environment."""

    path: Path
    python: Path


def this_tree() -> Tree:
    """The tree of this program."""
    return Tree(ROOT, Path(sys.executable))


def tree_of(commit: str) -> Tree:
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
    return Tree(path, path / ".venv" / "bin" / "python")


def _make_environment(path: Path) -> None:
    said = ""
    for offline in ({"UV_OFFLINE": "1"}, {}):
        command = ["sh", str(path / ".ci" / "environment"), "dev"]
        done = subprocess.run(command, env={**os.environ, **offline}, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = done.stderr.strip()
    raise CaseFailed(f"the environment of {path.name} cannot be made: {said[-500:]}")


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
    words = [str(tree.python), "-m", "tests.bench.worker", case.name, str(folder), *(["--small"] if small else [])]
    pipe = asyncio.subprocess.PIPE
    paths = os.pathsep.join([str(tree.path), str(tree.path / "clients" / "python")])
    process = await asyncio.create_subprocess_exec(
        *(alone(words) if case.alone else words),
        cwd=tree.path,
        env={**os.environ, "PYTHONPATH": paths},
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
