"""Node and npm: found, or the program ends with a sentence that says how to get them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

OLDEST = 20
NAMES = ("node", "node22", "node24", "nodejs")


def node() -> str:
    """A Node that is new enough; ends the program with a sentence when there is none."""
    named = os.environ.get("NODE")
    found = [path for name in ((named,) if named else NAMES) if (path := shutil.which(name)) is not None]
    versions = {path: version_of(path) for path in found}
    for path, version in versions.items():
        if version >= OLDEST:
            return path
    seen = ", ".join(f"{path} is version {version}" for path, version in versions.items()) or "none was found"
    raise SystemExit(
        f"This needs Node {OLDEST} or newer ({seen}). Install it, or name one: make TARGET NODE=PATH; "
        f"`npm install --prefix DIR node@{OLDEST}` brings DIR/node_modules/.bin/node."
    )


def npm() -> str:
    """npm; ends the program with a sentence when there is none."""
    found = shutil.which("npm")
    if found is None:
        raise SystemExit("npm is missing: it comes with Node from nodejs.org, on Debian with `apt-get install npm`.")
    return found


def version_of(path: str) -> int:
    """The major version; 0 for what is no Node."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # as named
    match = re.match(r"v(\d+)\.", said)
    return int(match[1]) if match else 0


async def output_of(*command: str, within_s: int = 150) -> str:
    """What it prints; ends the program when it fails."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(within_s):
        said = (await process.communicate())[0].decode()
    if process.returncode != 0:
        raise SystemExit(f"the program failed:\n{said}")
    return said


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> None:
    """Runs it, its output shown; ends the program when it fails."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, check=False)
    if done.returncode != 0:
        raise SystemExit(f"`{' '.join(map(str, command))}` failed in {cwd.name}")
