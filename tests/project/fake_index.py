"""A small project with lock files of its own, and folders of packages that play the package index for it."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.project.locks import PROJECT

LOCKED = {  # name to what it requires; the tool asks for an extra, as pytest-cov does with coverage[toml]
    "builder": "",
    "part": "",
    "whole": "Requires-Dist: part>=1\n",
    "measure": "Provides-Extra: toml\n",
    "tool": "Requires-Dist: measure[toml]>=1\n",
}
LOCKS = {
    "requirements-build.lock": ("builder",),
    "requirements.lock": ("part", "whole"),
    "requirements-dev.lock": ("builder", "measure", "part", "tool", "whole"),
}
TARGETS = "demo: env-run\ntest check: env\n"
BACKEND = """
import zipfile
def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "musigd-1.0-py3-none-any.whl"
    with zipfile.ZipFile(directory + "/" + name, "w") as wheel:
        wheel.writestr("musigd-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: musigd\\nVersion: 1.0\\n")
        wheel.writestr("musigd-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("musigd-1.0.dist-info/RECORD", "")
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def wheel(directory: Path, name: str, version: str) -> Path:
    """An empty package."""
    path = directory / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = path.name.replace("-py3-none-any.whl", ".dist-info")
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{LOCKED.get(name, '')}",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(f"{info}/{member}"), content)
    return path


def index(directory: Path, *versions: str) -> Path:
    """A package index (PEP 503) in a folder, in which every package exists in each of the versions."""
    for name in LOCKED:
        for version in versions:
            wheel(directory / name, name, version)
    return listed(directory)


def listed(directory: Path) -> Path:
    """Write the page of each package, as the index serves it."""
    for folder in directory.iterdir():
        links = "".join(f'<a href="{file.name}">{file.name}</a>' for file in sorted(folder.glob("*-*")))
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")
    return directory


def clone(directory: Path, packages: Path) -> Path:
    """As much of a checkout as the targets look at first, with everything locked at 1.0 as it is in `packages`."""
    (directory / ".ci").mkdir(parents=True)
    shutil.copy(PROJECT / ".ci/environment", directory / ".ci")
    recipes = (PROJECT / "Makefile").read_text()
    env = recipes[recipes.index("\nenv:") : recipes.index("\ndemo:")]
    (directory / "Makefile").write_text(env + TARGETS)
    (directory / "setup.py").write_text("")
    (directory / "backend.py").write_text(BACKEND)
    (directory / "pyproject.toml").write_text(PYPROJECT)
    for lock, names in LOCKS.items():
        pins = (
            f"{name}==1.0 --hash=sha256:{_digest(packages / f'{name}/{name}-1.0-py3-none-any.whl')}\n" for name in names
        )
        (directory / lock).write_text("".join(pins))
    return directory


def installed(environment: Path) -> Mapping[str, str]:
    """Name to version of what a virtual environment has."""
    found = (
        path.name.removesuffix(".dist-info").split("-") for path in environment.glob("lib/*/*-packages/*.dist-info")
    )
    return {name: version for name, version in found if name != "pip"}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
