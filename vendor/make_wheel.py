"""Makes the wheel in this directory: the published libp2p with the requirements that pyproject.toml states for it.

pip takes requirements from a wheel's own metadata and cannot be told others, so `pip install .` would have to compile
the fastecdsa that libp2p 0.8.1 pins. Only METADATA and RECORD differ from what was published; what lies beside the
package, as its examples, is left out. tests/project holds the wheel against the installed library.

    python vendor/make_wheel.py            (needs an index; `make lock` runs it)
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOCAL = "musigd.1"
CHANGED = (
    "The published libp2p with other requirements, made for musigd by its vendor/make_wheel.py; no code is changed.\n"
)
TIME = (1980, 1, 1, 0, 0, 0)  # the same bytes, whenever it is made


def main() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())
    for override in project["tool"]["uv"]["dependency-metadata"]:
        with tempfile.TemporaryDirectory() as directory:
            remake(published(override["name"], override["version"], Path(directory)), override)


def published(name: str, version: str, directory: Path) -> Path:
    """The wheel of `name` as the index has it, checked against the hashes of the lock file."""
    lock = (HERE.parent / "requirements.lock").read_text()
    entry = re.search(rf"^{name}=={re.escape(version)}.*?(?=^\S)", lock, re.MULTILINE | re.DOTALL)
    if entry is None:
        raise SystemExit(f"requirements.lock has no {name}=={version}: make lock writes it.")
    pin = directory / "pin.txt"
    pin.write_text(entry.group())
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    subprocess.run([*pip, "--dest", str(directory), "-r", str(pin)], check=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def remake(source: Path, override: dict[str, Any]) -> None:
    """Write the wheel with a local version and other requirements, and nothing but the package itself."""
    name, version = override["name"], override["version"]
    local = f"{version}+{LOCAL}"
    target = HERE / f"{name}-{local}-py3-none-any.whl"
    record = []
    for old in HERE.glob(f"{name}-*.whl"):
        old.unlink()
    with (
        zipfile.ZipFile(source) as published,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made,
    ):
        for member in sorted(published.namelist()):
            if member.endswith(("/RECORD", "/top_level.txt", "/entry_points.txt", "/")) or not member.startswith(
                (f"{name}/", f"{name}-")
            ):
                continue
            content = published.read(member)
            if member.endswith("/METADATA"):
                content = metadata(content.decode(), local, override["requires-dist"]).encode()
            path = member.replace(f"{name}-{version}.dist-info/", f"{name}-{local}.dist-info/")
            made.writestr(zipfile.ZipInfo(path, TIME), content, zipfile.ZIP_DEFLATED)
            record.append(f"{path},sha256={digest(content)},{len(content)}")
        path = f"{name}-{local}.dist-info/RECORD"
        made.writestr(zipfile.ZipInfo(path, TIME), "\n".join([*record, f"{path},,", ""]), zipfile.ZIP_DEFLATED)


def metadata(published: str, version: str, requires: list[str]) -> str:
    """The fields of METADATA with another version and other requirements, without its extras and its text."""
    fields = published.split("\n\n", 1)[0].splitlines()
    kept = [field for field in fields if not re.match(r"(Version|Requires-Dist|Provides-Extra|Dynamic|\s)", field)]
    return "\n".join([*kept, f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires), "", CHANGED])


def digest(content: bytes) -> str:
    """As RECORD has it: SHA-256 in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
