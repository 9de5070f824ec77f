"""Writes requirements.published: every file that the index has of each locked version, with its SHA-256.

`make check` needs no network: it holds the lock files against this list. `make lock` runs this program.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
INDEX = os.environ.get("UV_DEFAULT_INDEX", "https://pypi.org/simple").rstrip("/")


def main() -> None:
    lock = (PROJECT / "requirements-dev.lock").read_text()
    pins = re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", lock, re.MULTILINE)
    with ThreadPoolExecutor(4) as pool:
        lines = [line for found in pool.map(published, pins) for line in found]
    (PROJECT / "requirements.published").write_text("".join(f"{line}\n" for line in lines))


def published(pin: tuple[str, str]) -> list[str]:
    """`sha256  file name` of the wheels and of the source of one version, in the order of their names."""
    name, version = pin
    request = urllib.request.Request(f"{INDEX}/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        files = json.load(response)["files"]
    stem = re.sub("-", "[-_.]", re.escape(name).replace(r"\-", "-"))
    ours = re.compile(rf"{stem}-{re.escape(version)}(-.+\.whl|\.tar\.gz|\.zip)", re.IGNORECASE)
    found = [f"{file['hashes']['sha256']}  {file['filename']}" for file in files if ours.fullmatch(file["filename"])]
    return sorted(found, key=lambda line: line.split()[1])


if __name__ == "__main__":
    main()
